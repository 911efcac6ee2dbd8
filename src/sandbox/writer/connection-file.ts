import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { SkyferryFailure } from '../../failures.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';

export interface ConnectionFiles {
  readonly connectionFile: string;
  readonly passwordFile?: string | undefined;
  readonly caFile?: string | undefined;
  readonly verifyIdentity?: boolean;
}

const json = z.object({
  host: z.string().min(1),
  port: z.int().default(3306),
  user: z.string().min(1),
  password: z.string().optional(),
  passwordFile: z.string().optional(),
  caFile: z.string().optional(),
});

/**
 * Reads where the database is, as an application does at start and whenever it reconnects: JSON with
 * host, port, user and optionally password, passwordFile, caFile; or one line
 * `mysql://user[:password]@host[:port][/schema]`. A CA, from either place, asks for TLS with a
 * verified identity.
 */
export async function readConnectionFile(files: ConnectionFiles): Promise<Endpoint> {
  const text = (await read(files.connectionFile)).trim();
  const { host, port, user, ...rest } = text.startsWith('{') ? parseJson(text) : parseUrl(text);
  const passwordFile = rest.passwordFile ?? files.passwordFile;
  const caFile = rest.caFile ?? files.caFile;
  const password =
    rest.password ?? (passwordFile === undefined ? '' : (await read(passwordFile)).trimEnd());
  return {
    host,
    port,
    user,
    password,
    tls:
      caFile === undefined
        ? { mode: 'disabled' }
        : {
            mode: files.verifyIdentity === false ? 'verify-ca' : 'verify-identity',
            ca: await read(caFile),
          },
  };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    throw new SkyferryFailure('CONFIG_INVALID', `${path} cannot be read`);
  }
}

type Parsed = z.output<typeof json>;

function parseJson(text: string): Parsed {
  try {
    return json.parse(JSON.parse(text));
  } catch {
    throw unreadable();
  }
}

function parseUrl(text: string): Parsed {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'mysql:' || url.hostname === '' || url.username === '') throw unreadable();
  const password = decodeURIComponent(url.password);
  return {
    host: url.hostname,
    port: url.port === '' ? 3306 : Number(url.port),
    user: decodeURIComponent(url.username),
    ...(password !== '' && { password }),
  };
}

function unreadable(): SkyferryFailure {
  // The text can hold a password: it is not repeated.
  return new SkyferryFailure(
    'CONFIG_INVALID',
    'the connection file is neither mysql://user@host:port nor JSON with host, port and user',
  );
}

/** Tells that the file's content changed, so that sessions finish what they do and reconnect. */
export class ConnectionWatch {
  #generation = 0;
  #content: string | undefined;
  readonly #timer: NodeJS.Timeout;
  #looking = false;
  readonly #path: string;

  constructor(path: string, pollMs: number) {
    this.#path = path;
    this.#timer = setInterval(() => void this.#look(), pollMs);
  }

  /** Grows with each change. */
  get generation(): number {
    return this.#generation;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    // A file that is missing for a moment is being replaced: the next look sees it.
    const content = await readFile(this.#path, 'utf8').catch(() => this.#content);
    if (this.#content !== undefined && content !== this.#content) this.#generation += 1;
    this.#content = content;
    this.#looking = false;
  }
}
