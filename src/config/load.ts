import { readFile } from 'node:fs/promises';
import type { Document } from 'yaml';
import { LineCounter, isMap, isPair, isScalar, parseDocument, visit } from 'yaml';
import { SkyferryFailure } from '../failures.ts';
import type { ConfigIssue } from './parse.ts';
import { parseConfig } from './parse.ts';
import type { MigrationConfig } from './schema.ts';

/** A line of an error: where it is (1-based), what is wrong. */
export interface LocatedIssue {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

export class ConfigFileFailure extends SkyferryFailure {
  readonly file: string;
  readonly issues: readonly LocatedIssue[];

  constructor(file: string, issues: readonly LocatedIssue[]) {
    const lines = issues.map(
      ({ line, column, path, message }) =>
        `  ${file}:${line}:${column}  ${path || '(root)'}: ${message}`,
    );
    const count = issues.length === 1 ? '1 error' : `${issues.length} errors`;
    super('CONFIG_INVALID', `${file} is not valid, ${count}:\n${lines.join('\n')}`, {
      safe: 'nothing was changed',
      next: `correct the lines above, then: skyferry validate ${file}`,
    });
    this.file = file;
    this.issues = issues;
  }
}

/** Reads and validates `skyferry.yaml`; throws every error at once, with line and column. */
export async function loadConfigFile(file: string): Promise<MigrationConfig> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new SkyferryFailure('CONFIG_INVALID', `${file} cannot be read (${error.code})`, {
      safe: 'nothing was changed',
      next: 'name the file with -c, or write one with: skyferry init',
    });
  });
  return parseConfigText(file, text);
}

export function parseConfigText(file: string, text: string): MigrationConfig {
  const lines = new LineCounter();
  // uniqueKeys is yaml's default: a key given twice is an error, not the last one's win.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new ConfigFileFailure(
      file,
      document.errors.map((error) => ({
        ...place(lines, error.pos[0]),
        path: '',
        message: error.message,
      })),
    );
  }
  const parsed = parseConfig(toJson(file, document, lines));
  if (parsed.ok) return parsed.config;
  const issues = parsed.issues
    .map((issue) => ({
      ...place(lines, offsetOf(document, issue)),
      path: issue.path,
      message: issue.message,
    }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
  throw new ConfigFileFailure(file, issues);
}

/** Aliases are followed only here: one may lead nowhere, or very many to very much. */
function toJson(file: string, document: Document, lines: LineCounter): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const issues: Omit<LocatedIssue, 'file'>[] = [];
    visit(document, {
      Alias: (_key, alias) => {
        if (alias.resolve(document) !== undefined) return;
        const message = `no anchor &${alias.source} stands before this alias; a text that begins with * needs quotes`;
        issues.push({ ...place(lines, alias.range?.[0] ?? 0), path: '', message });
      },
    });
    const whole = { line: 1, column: 1, path: '', message: error.message };
    throw new ConfigFileFailure(file, issues.length > 0 ? issues : [whole]);
  }
}

function place(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** Where the issue's key stands; for a key that is missing, its nearest parent that is there. */
function offsetOf(document: Document, issue: ConfigIssue): number {
  for (let depth = issue.keys.length; depth > 0; depth--) {
    const parent =
      depth === 1 ? document.contents : document.getIn(issue.keys.slice(0, depth - 1), true);
    const key = issue.keys[depth - 1];
    if (isMap(parent)) {
      const pair = parent.items.find(
        (item) => isPair(item) && isScalar(item.key) && item.key.value === key,
      );
      if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0] ?? 0;
    }
    const node = document.getIn(issue.keys.slice(0, depth), true);
    if (isScalar(node) || isMap(node)) return node.range?.[0] ?? 0;
  }
  return 0;
}
