import { XMLParser } from 'fast-xml-parser';
import type { CloudResponse } from '../../service.ts';
import type { Shape } from '../schema.ts';

/** REST XML as Route 53 speaks it: reading a body against the vendor's model, writing an answer. */
const NAMESPACE = 'https://route53.amazonaws.com/doc/2013-04-01/';

export type Xml = string | readonly Xml[] | { readonly [name: string]: Xml | undefined };

/** An answer that is an error: the vendor's code and text. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  parseTagValue: false,
  isArray: (name) => name === 'Change' || name === 'ResourceRecord',
});

/** The members of `root`, checked against `shape`: an unknown or missing one is refused as the cloud would. */
export function readXml(body: Buffer, root: string, shape: Shape): Readonly<Record<string, Xml>> {
  let document: Record<string, unknown>;
  try {
    document = parser.parse(body.toString('utf8')) as Record<string, unknown>;
  } catch {
    throw malformed('the body is not XML');
  }
  if (Object.keys(document).join() !== root) throw malformed(`the root element must be ${root}`);
  const read = readShape(document[root], shape, root);
  return read as Readonly<Record<string, Xml>>;
}

function readShape(node: unknown, shape: Shape, at: string): Xml {
  if (shape.kind === 'structure') {
    // An empty element comes as an empty text.
    const given = node === '' ? {} : node;
    if (!isElement(given)) throw malformed(`${at} must hold elements`);
    const known = new Map(shape.members.map((member) => [member.name, member]));
    for (const name of Object.keys(given)) {
      if (!known.has(name)) throw malformed(`unknown element ${name} in ${at}`);
    }
    const entries = shape.members.flatMap(({ name, required, shape: of }): [string, Xml][] => {
      const value = given[name];
      if (value !== undefined) return [[name, readShape(value, of(), `${at}.${name}`)]];
      if (required && name !== 'HostedZoneId') throw malformed(`${at} lacks ${name}`);
      return [];
    });
    return Object.fromEntries(entries);
  }
  if (shape.kind === 'list') {
    if (node === '') return [];
    const items = isElement(node) ? node[shape.itemName] : undefined;
    const names = isElement(node) ? Object.keys(node).join() : '';
    if (!Array.isArray(items) || names !== shape.itemName) {
      throw malformed(`${at} must be a list of ${shape.itemName}`);
    }
    return items.map((item, i) => readShape(item, shape.item(), `${at}[${i}]`));
  }
  if (typeof node !== 'string') throw malformed(`${at} must be a text`);
  if (shape.kind === 'number' && !/^-?\d+$/.test(node)) throw malformed(`${at} must be a number`);
  if (shape.kind === 'boolean' && node !== 'true' && node !== 'false') {
    throw malformed(`${at} must be true or false`);
  }
  return node;
}

function isElement(node: unknown): node is Record<string, unknown> {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}

function malformed(message: string): Refusal {
  return new Refusal(400, 'InvalidInput', message);
}

export function xmlResponse(
  root: string,
  content: Xml,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): CloudResponse {
  return {
    status,
    headers: { 'content-type': 'text/xml', ...headers },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${render(content)}</${root}>`,
  };
}

export function xmlError(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): CloudResponse {
  const type = status >= 500 ? 'Receiver' : 'Sender';
  const content = {
    Error: { Type: type, Code: code, Message: message },
    RequestId: crypto.randomUUID(),
  };
  return xmlResponse('ErrorResponse', content, { status, headers });
}

/** A list stands in its parent as `{ Item: [a, b] }`: one element for each. */
function render(content: Xml): string {
  if (typeof content === 'string') return escape(content);
  if (isList(content)) return content.map(render).join('');
  return Object.entries(content)
    .map(([name, value]) => {
      if (value === undefined) return '';
      const each = isList(value) ? value : [value];
      return each.map((item) => `<${name}>${render(item)}</${name}>`).join('');
    })
    .join('');
}

function isList(content: Xml): content is readonly Xml[] {
  return Array.isArray(content);
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escape(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
