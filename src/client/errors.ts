// The error that ends a subscription, or rejects a publish.

/** The server refused a request, and repeating it would not help. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  /** The HTTP status; 0 if a stream refused a change. */
  readonly status: number
  /** The code of the refusal, such as `token_revoked`; `http_404` if the server gave none. */
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** Reads the refusal of a response: JSON as tidings sends it, or text. */
export async function refusalOf(response: Response): Promise<RefusedError> {
  const { status } = response
  const text = await response.text().catch(() => '')
  let code = `http_${status}`
  let message = /^\s*(<|$)/.test(text) ? `the server answered ${status}` : text.trim().slice(0, 500)
  try {
    const { error } = JSON.parse(text) as { error?: { code?: string; message?: string } }
    code = error?.code ?? code
    message = error?.message ?? message
  } catch {
    // It is not JSON.
  }
  return new RefusedError(status, code, message)
}

/** Whether the same request may succeed later. */
export function isTransient(status: number): boolean {
  return status >= 500 || status === 429 || status === 408
}

/** Whether a fresh token may help. */
export function isDenial(status: number): boolean {
  return status === 401 || status === 403 || status === 404 || status === 410
}
