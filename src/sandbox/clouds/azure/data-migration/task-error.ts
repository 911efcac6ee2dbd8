export interface TaskError {
  readonly code: string;
  readonly message: string;
}

/** As the outputs of tasks show it. */
export function reported({ code, message }: TaskError): unknown {
  return { message: `${code}: ${message}`, hResult: -2146233088 };
}
