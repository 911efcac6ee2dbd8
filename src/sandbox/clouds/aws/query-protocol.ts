import { randomUUID } from 'node:crypto';
import type { CloudRequest, CloudResponse } from '../service.ts';
import type { Member, Shape } from './schema.ts';
import { operationShapes } from './schema.ts';

/** A vendor API that speaks AWS query: form in, XML out. */
export interface QueryApi {
  /** What the SDK's package exports, its schemas among it. */
  readonly exported: Readonly<Record<string, unknown>>;
  readonly version: string;
  readonly xmlNamespace: string;
}

/** A refusal with the code that goes over the wire, which is not always the SDK's class name. */
export class QueryFailure extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export interface QueryCall {
  readonly action: string;
  /** As the schema says: numbers, booleans, lists and structures; nothing that it does not know. */
  readonly input: Readonly<Record<string, unknown>>;
}

export function isQueryRequest({ method, path, headers }: CloudRequest): boolean {
  const type = headers['content-type'] ?? '';
  return method === 'POST' && path === '/' && type.startsWith('application/x-www-form-urlencoded');
}

/** The action alone: it is authorized before its parameters are looked at. */
export function actionOf({ body }: CloudRequest): string {
  const action = new URLSearchParams(body.toString()).get('Action');
  if (action === null) throw new QueryFailure('MissingAction', 'Missing Action parameter');
  return action;
}

/** Throws QueryFailure for what the vendor would refuse before it looks at any resource. */
export function decodeCall(api: QueryApi, request: CloudRequest): QueryCall {
  const form = new Form(new URLSearchParams(request.body.toString()));
  const action = actionOf(request);
  const version = form.take('Version');
  form.take('Action');
  const shapes = operationShapes(api.exported, action);
  if (version !== api.version || shapes === null) {
    throw new QueryFailure(
      'InvalidAction',
      `Could not find operation ${action} for version ${version ?? 'NO_VERSION_SPECIFIED'}`,
    );
  }
  const input =
    shapes.input.kind === 'structure' ? decodeMembers(shapes.input.members, form, '') : {};
  const [unknown] = form.left();
  if (unknown !== undefined) {
    throw new QueryFailure('InvalidQueryParameter', `Unknown parameter ${unknown} for ${action}`);
  }
  return { action, input };
}

/** The form's fields, ticked off as they are read. */
class Form {
  readonly #fields: Map<string, string>;

  constructor(fields: URLSearchParams) {
    this.#fields = new Map(fields);
  }

  take(name: string): string | undefined {
    const value = this.#fields.get(name);
    this.#fields.delete(name);
    return value;
  }

  hasAny(name: string): boolean {
    return [...this.#fields.keys()].some((key) => key === name || key.startsWith(`${name}.`));
  }

  left(): string[] {
    return [...this.#fields.keys()];
  }
}

function decodeMembers(
  members: readonly Member[],
  form: Form,
  prefix: string,
): Record<string, unknown> {
  const decoded: Record<string, unknown> = {};
  for (const { name, required, shape } of members) {
    const key = `${prefix}${name}`;
    if (form.hasAny(key)) decoded[name] = decode(shape(), form, key);
    else if (required) {
      throw new QueryFailure('MissingParameter', `The request must contain the parameter ${key}`);
    }
  }
  return decoded;
}

function decode(shape: Shape, form: Form, key: string): unknown {
  if (shape.kind === 'structure') return decodeMembers(shape.members, form, `${key}.`);
  if (shape.kind === 'list') return decodeList(shape, form, key);
  const text = form.take(key);
  if (text === undefined) {
    throw new QueryFailure('MalformedInput', `${key} is a single value`);
  }
  return decodeScalar(shape.kind, text, key);
}

function decodeList(
  { item, itemName }: Extract<Shape, { kind: 'list' }>,
  form: Form,
  key: string,
): unknown[] {
  // An empty list is sent as the name alone.
  if (form.take(key) === '') return [];
  const items: unknown[] = [];
  for (const name of new Set([itemName, 'member'])) {
    for (let n = 1; form.hasAny(`${key}.${name}.${n}`); n++) {
      items.push(decode(item(), form, `${key}.${name}.${n}`));
    }
  }
  return items;
}

function decodeScalar(kind: Shape['kind'], text: string, key: string): unknown {
  const valid: Partial<Record<Shape['kind'], boolean>> = {
    number: /^-?\d+(\.\d+)?$/.test(text),
    boolean: text === 'true' || text === 'false',
    timestamp: !Number.isNaN(Date.parse(text)),
  };
  if (valid[kind] === false) {
    throw new QueryFailure('MalformedInput', `Invalid value for ${key}: it is no ${kind}`);
  }
  if (kind === 'number') return Number(text);
  if (kind === 'boolean') return text === 'true';
  return kind === 'timestamp' ? new Date(text) : text;
}

export function encodeResult(api: QueryApi, action: string, output: unknown): CloudResponse {
  const shapes = operationShapes(api.exported, action);
  if (shapes === null) throw new TypeError(`the package knows no ${action}`);
  const result =
    shapes.output.kind === 'unit' ? '' : encode(shapes.output, output ?? {}, `${action}Result`);
  return xml(
    200,
    `<${action}Response xmlns="${api.xmlNamespace}">${result}` +
      `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></${action}Response>`,
  );
}

export function encodeFailure(api: QueryApi, failure: QueryFailure): CloudResponse {
  const type = failure.status < 500 ? 'Sender' : 'Receiver';
  return xml(
    failure.status,
    `<ErrorResponse xmlns="${api.xmlNamespace}"><Error><Type>${type}</Type>` +
      `<Code>${failure.code}</Code><Message>${escape(failure.message)}</Message></Error>` +
      `<RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
  );
}

function encode(shape: Shape, value: unknown, element: string): string {
  if (value === undefined || value === null) return '';
  return `<${element}>${content(shape, value, element)}</${element}>`;
}

function content(shape: Shape, value: unknown, element: string): string {
  if (shape.kind === 'list') {
    const items = value as readonly unknown[];
    return items.map((item) => encode(shape.item(), item, shape.itemName)).join('');
  }
  if (shape.kind === 'structure') {
    const fields = value as Readonly<Record<string, unknown>>;
    const stranger = Object.keys(fields).find((key) => !shape.members.some((m) => m.name === key));
    // The vendor would never answer it: a mistake of this fake.
    if (stranger !== undefined) throw new TypeError(`${element} has no member ${stranger}`);
    return shape.members.map((m) => encode(m.shape(), fields[m.name], m.name)).join('');
  }
  return escape(value instanceof Date ? value.toISOString() : String(value));
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function xml(status: number, body: string): CloudResponse {
  return {
    status,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': randomUUID() },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}\n`,
  };
}
