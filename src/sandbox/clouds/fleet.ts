import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Endpoint } from '../../mysql/endpoint.ts';
import { runningIn, stopIn } from '../process/identity.ts';
import type { Life } from '../process/launch.ts';
import type { Program } from '../resolver/program.ts';
import { generatePassword } from '../secrets-folder.ts';
import type { Authority } from '../servers/certificates.ts';
import {
  CERTIFICATE_FILE,
  serverCertificateFlags,
  writeServerCertificate,
} from '../servers/certificates.ts';
import { endLeftover } from '../servers/leftover.ts';
import { answers, startMysqlServer, STOP_GRACE_MS } from '../servers/mysql-server.ts';
import { discardUnprepared, prepareServer, superuserStatements } from '../servers/prepare-mysql.ts';
import type { AddressBlock } from './address-block.ts';
import type { MysqlFleet, MysqlServerSpec, NameServer, Store } from './service.ts';

interface KeptServer {
  hostName: string;
  address: string;
  superuser: string;
  password: string;
  lowerCaseTableNames: 0 | 1;
  flags: readonly string[];
  /** It serves, with exactly these flags; false while anything is done to it. */
  running: boolean;
}

export interface FleetState {
  servers: Record<string, KeptServer>;
}

export interface FleetOptions {
  readonly folder: string;
  readonly store: Store<FleetState>;
  readonly block: AddressBlock;
  readonly authority: Authority;
  readonly names: NameServer;
  readonly program: Program;
  readonly cache: string;
  readonly life: Life['mode'];
}

export class SandboxFleet implements MysqlFleet {
  readonly #options: FleetOptions;
  /** One thing at a time is done to a server. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get port(): number {
    return this.#options.block.port;
  }

  get program(): Program {
    return this.#options.program;
  }

  has(id: string): boolean {
    return Object.hasOwn(this.#servers, id);
  }

  superuser(id: string): Endpoint {
    const { address, superuser, password } = this.#server(id);
    return {
      host: address,
      port: this.port,
      user: superuser,
      password,
      // By its address, which no certificate names.
      tls: { mode: 'verify-ca', ca: this.#options.authority.certificate },
    };
  }

  /** Those that ran before the clouds' process ended run again; those that still do are kept. */
  async resume(): Promise<void> {
    await Promise.all(
      Object.entries(this.#servers).map(async ([id, { hostName, address, running }]) => {
        this.#options.names.setAddress(hostName, address);
        if (running) await this.#inTurn(id, () => this.#keepOrServe(id));
      }),
    );
  }

  create(spec: MysqlServerSpec): Promise<{ host: string; address: string; port: number }> {
    const { id, hostName } = spec;
    return this.#inTurn(id, async () => {
      this.#servers[id] ??= {
        hostName,
        address: this.#freeAddress(),
        superuser: spec.superuser ?? 'cloud_superuser',
        password: generatePassword(),
        lowerCaseTableNames: spec.lowerCaseTableNames,
        flags: [...spec.flags],
        running: false,
      };
      await this.#options.store.save();
      const { address, running } = this.#server(id);
      if (!running) {
        await endLeftover(this.#folder(id));
        await discardUnprepared(this.#folder(id));
        await this.#serve(id);
        const { accounts, statements } = spec;
        await prepareServer(this.superuser(id), this.#folder(id), accounts, statements);
        await this.#setRunning(id, true);
      }
      this.#options.names.setAddress(hostName, address);
      return { host: hostName, address, port: this.port };
    });
  }

  restart(id: string, flags: readonly string[]): Promise<void> {
    return this.#inTurn(id, async () => {
      await this.#halt(id);
      this.#server(id).flags = [...flags];
      await this.#serve(id);
      await this.#setRunning(id, true);
    });
  }

  stop(id: string): Promise<void> {
    return this.#inTurn(id, () => this.#halt(id));
  }

  start(id: string): Promise<void> {
    return this.#inTurn(id, async () => {
      await this.#keepOrServe(id);
      await this.#setRunning(id, true);
    });
  }

  remove(id: string): Promise<void> {
    return this.#inTurn(id, async () => {
      if (!this.has(id)) return;
      await this.#halt(id);
      this.#options.names.removeAddress(this.#server(id).hostName);
      await rm(this.#folder(id), { recursive: true, force: true });
      delete this.#servers[id];
      await this.#options.store.save();
    });
  }

  /** Shuts all servers down; those that ran are started again by `resume`. */
  async close(): Promise<void> {
    await Promise.all(
      Object.keys(this.#servers).map((id) => this.#inTurn(id, () => this.#shutDown(id))),
    );
  }

  async #halt(id: string): Promise<void> {
    await this.#setRunning(id, false);
    await this.#shutDown(id);
  }

  async #shutDown(id: string): Promise<void> {
    await stopIn(this.#folder(id), STOP_GRACE_MS);
    await endLeftover(this.#folder(id));
  }

  async #keepOrServe(id: string): Promise<void> {
    const running = await runningIn(this.#folder(id));
    if (running !== null && (await answers(this.superuser(id)))) return;
    await this.#shutDown(id);
    await this.#serve(id);
  }

  async #serve(id: string): Promise<void> {
    const { authority, program, cache, life } = this.#options;
    const folder = this.#folder(id);
    const { hostName, address, superuser, password, ...server } = this.#server(id);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (!existsSync(join(folder, CERTIFICATE_FILE))) {
      await writeServerCertificate(authority, [hostName], folder);
    }
    await startMysqlServer({
      program,
      cache,
      folder,
      port: this.port,
      bindAddress: address,
      lowerCaseTableNames: server.lowerCaseTableNames,
      flags: [...server.flags, ...serverCertificateFlags(folder)],
      firstStatements: superuserStatements(superuser, password),
      endpoint: this.superuser(id),
      life: { mode: life },
    });
  }

  async #setRunning(id: string, running: boolean): Promise<void> {
    this.#server(id).running = running;
    await this.#options.store.save();
  }

  #freeAddress(): string {
    const taken = new Set(Object.values(this.#servers).map(({ address }) => address));
    for (let last = 11; last < 255; last++) {
      const address = `${this.#options.block.prefix}.${last}`;
      if (!taken.has(address)) return address;
    }
    throw new RangeError('no free loopback address for another server');
  }

  #folder(id: string): string {
    return join(this.#options.folder, id);
  }

  get #servers(): Record<string, KeptServer> {
    return this.#options.store.value.servers;
  }

  #server(id: string): KeptServer {
    const server = this.#servers[id];
    if (server === undefined) throw new RangeError(`no server ${id} in the fleet`);
    return server;
  }

  #inTurn<T>(id: string, act: () => Promise<T>): Promise<T> {
    const former = this.#turns.get(id) ?? Promise.resolve();
    const turn = former.then(act, act);
    this.#turns.set(
      id,
      turn.catch(() => {}),
    );
    return turn;
  }
}
