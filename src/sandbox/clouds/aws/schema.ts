/**
 * The schemas that every `@aws-sdk` package exports, as far as a fake needs them: the vendor's own
 * model of each message, which the client itself does not check its input against.
 */
export type Shape =
  | { readonly kind: 'string' | 'number' | 'boolean' | 'timestamp' | 'unit' }
  | { readonly kind: 'list'; readonly item: () => Shape; readonly itemName: string }
  | { readonly kind: 'structure'; readonly members: readonly Member[] };

export interface Member {
  readonly name: string;
  readonly required: boolean;
  readonly shape: () => Shape;
}

/** Kinds of nodes: the first element of each. */
const SIMPLE = 0;
const LIST = 1;
const STRUCTURE = 3;
const ERROR = -3;
/** A list of what is said by the lower bits. */
const LIST_OF = 64;

/** Input and output of `<operation>$`; null: the package knows no such operation. */
export function operationShapes(
  exported: Readonly<Record<string, unknown>>,
  operation: string,
): { input: Shape; output: Shape } | null {
  const node = exported[`${operation}$`];
  if (!Array.isArray(node) || node[0] !== 9) return null;
  return { input: shapeOf(node[4]), output: shapeOf(node[5]) };
}

function shapeOf(reference: unknown): Shape {
  const node: unknown = typeof reference === 'function' ? reference() : reference;
  if (node === 'unit') return { kind: 'unit' };
  if (typeof node === 'number') return sentinel(node);
  if (!Array.isArray(node)) throw new TypeError('a schema of an unknown form');
  const [kind] = node as unknown[];
  // `[schema, traits]`: a member's own traits beside its schema.
  if (typeof kind !== 'number' || node.length === 2) return shapeOf(kind);
  if (kind === SIMPLE) return shapeOf(node[4]);
  if (kind === LIST) return listShape(node[4]);
  if (kind === STRUCTURE || kind === ERROR) return structureShape(node);
  throw new TypeError(`a schema of the unknown kind ${kind}`);
}

function sentinel(number: number): Shape {
  if (number >= LIST_OF && number < 2 * LIST_OF) {
    return { kind: 'list', item: () => sentinel(number - LIST_OF), itemName: 'member' };
  }
  // 21 is bytes, base64 in JSON.
  if (number === 0 || number === 21) return { kind: 'string' };
  if (number === 1) return { kind: 'number' };
  if (number === 2) return { kind: 'boolean' };
  if (number >= 4 && number <= 7) return { kind: 'timestamp' };
  throw new TypeError(`a schema of the unknown kind ${number}`);
}

function listShape(item: unknown): Shape {
  const traits: unknown = Array.isArray(item) && item.length === 2 ? item[1] : undefined;
  const named = (traits ?? {}) as { xmlName?: string };
  return { kind: 'list', item: () => shapeOf(item), itemName: named.xmlName ?? 'member' };
}

function structureShape(node: readonly unknown[]): Shape {
  const names = node[4] as readonly string[];
  const types = node[5] as readonly unknown[];
  // The required members come first; the count is left out when there are none.
  const required = (node[6] as number | undefined) ?? 0;
  const members = names.map((name, index) => ({
    name,
    required: index < required,
    shape: () => shapeOf(types[index]),
  }));
  return { kind: 'structure', members };
}
