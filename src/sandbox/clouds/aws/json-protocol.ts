import type { CloudResponse, Fault } from '../service.ts';
import type { Shape } from './schema.ts';

/** What is answered instead of a result; the code is the vendor's. */
export class AwsJsonError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** AWS JSON 1.1: the body, checked against the vendor's model of it. */
export function parseInput(body: Buffer, shape: Shape): Record<string, unknown> {
  let input: unknown;
  try {
    input = JSON.parse(body.toString());
  } catch {
    throw new AwsJsonError('SerializationException', 'the body is not JSON');
  }
  check(input, shape, '');
  return input as Record<string, unknown>;
}

function check(value: unknown, shape: Shape, path: string): void {
  const refuse = (what: string) =>
    new AwsJsonError('SerializationException', `${path || 'the body'} ${what}`);
  switch (shape.kind) {
    case 'list':
      if (!Array.isArray(value)) throw refuse('must be a list');
      for (const item of value) check(item, shape.item(), `${path}[]`);
      return;
    case 'structure': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw refuse('must be a structure');
      }
      const known = new Map(shape.members.map((member) => [member.name, member]));
      for (const [name, given] of Object.entries(value)) {
        const member = known.get(name);
        if (member === undefined) throw refuse(`has no member ${name}`);
        check(given, member.shape(), `${path}.${name}`);
      }
      const missing = shape.members.find(({ name, required }) => required && !(name in value));
      if (missing !== undefined) {
        throw new AwsJsonError(
          'ValidationException',
          `1 validation error detected: Value null at '${missing.name}' failed to satisfy constraint: Member must not be null`,
        );
      }
      return;
    }
    case 'timestamp':
    case 'number':
      if (typeof value !== 'number') throw refuse('must be a number');
      return;
    case 'unit':
      return;
    case 'string':
    case 'boolean':
      if (typeof value !== shape.kind) throw refuse(`must be a ${shape.kind}`);
  }
}

export function jsonResult(result: Readonly<Record<string, unknown>>): CloudResponse {
  return { status: 200, headers: contentType, body: JSON.stringify(result) };
}

export function jsonError(status: number, code: string, message: string): CloudResponse {
  return { status, headers: contentType, body: JSON.stringify({ __type: code, Message: message }) };
}

/** A fault in this protocol's form. */
export function jsonFault(fault: Fault): CloudResponse {
  switch (fault.kind) {
    case 'throttle':
      return {
        ...jsonError(400, fault.code ?? 'ThrottlingException', 'Rate exceeded'),
        headers: { ...contentType, 'retry-after': String(fault.retryAfterSeconds ?? 1) },
      };
    case 'conflict':
      return jsonError(400, fault.code ?? 'InvalidRequestException', 'Another operation runs');
    case 'refuse':
      return jsonError(fault.status ?? 400, fault.code ?? 'InvalidRequestException', 'Refused');
    case 'expired':
      return jsonError(400, fault.code ?? 'ExpiredTokenException', 'The security token is expired');
    case 'server-error':
    case 'fail-operation':
      return jsonError(500, fault.code ?? 'InternalServiceError', 'An error occurred server side');
  }
}

const contentType = { 'content-type': 'application/x-amz-json-1.1' };
