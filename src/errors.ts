// Every error that a client or a caller of the library can get: code, HTTP status, sentence. Programs compare
// `error.code`.

const table = {
  // An update that breaks a rule
  topic_missing: [400, 'An update needs at least one topic'],
  topic_invalid: [400, 'The topic is invalid'],
  topics_too_many: [400, 'The update has too many topics'],
  data_invalid: [400, 'The data is not well-formed Unicode text'],
  type_invalid: [400, 'The type is invalid'],
  id_invalid: [400, 'The id is invalid'],
  retry_invalid: [400, 'retry must be a whole number of milliseconds'],
  private_invalid: [400, 'The value of private is invalid'],
  end_invalid: [400, 'The value of end is invalid'],
  // A subscription that breaks a rule
  selector_invalid: [400, 'The topic selector is invalid'],
  selectors_too_many: [400, 'The stream has too many topic selectors'],
  last_invalid: [400, 'last must be a whole number'],
  limit_invalid: [400, 'limit must be a whole number'],
  offset_invalid: [400, 'The value of offset is invalid'],
  sort_invalid: [400, 'sort must be the name of a column'],
  order_invalid: [400, 'order must be asc or desc'],
  state_invalid: [400, 'state must be live or behind'],
  filter_invalid: [400, 'The filter is invalid'],
  token_unknown: [409, 'The stream has no token that could be revoked'],
  last_event_id_invalid: [400, 'The last event id is invalid'],
  until_invalid: [400, 'until must be a time in milliseconds since 1970'],
  wait_invalid: [400, 'The value of wait is invalid'],
  envelope_invalid: [400, 'envelope must be json'],
  ended_invalid: [400, 'ended must be skip'],
  empty_invalid: [400, 'empty must be skip'],
  gap_invalid: [400, 'gap must be close'],
  gap: [410, 'The stream cannot be complete'],
  selector_missing: [400, 'A stream needs at least one topic selector'],
  // A change of a stream
  control_invalid: [400, 'control must be 1'],
  change_invalid: [400, 'The change of the stream is invalid'],
  changes_too_many: [429, 'Too many changes of this stream are waiting'],
  subject_changed: [403, 'The token has another subject than the stream'],
  node_unavailable: [503, 'The server that has the stream does not answer'],
  control_unavailable: [503, 'The server that has the stream does not answer; it may still make the change'],
  // A token or its grants
  token_missing: [401, 'This request requires a token'],
  token_invalid: [401, 'The token is not valid'],
  token_revoked: [401, 'The token is revoked'],
  token_malformed: [400, 'The request must contain exactly one well-formed token'],
  cookie_refused: [403, 'Publishing with a cookie requires an allowed Origin or Referer'],
  path_invalid: [400, 'The path of the subscription list is invalid'],
  not_granted: [403, 'Permission denied'],
  topic_reserved: [403, 'The topic is reserved for the hub'],
  authorize_failed: [503, 'The authorizing application gave no decision'],
  // A revocation
  revoked: [403, 'The topic, or the address of the client, is revoked'],
  revocation_invalid: [400, 'The revocation is invalid'],
  revocation_missing: [404, 'There is no such revocation'],
  revocations_too_many: [507, 'There are too many revocations, so nothing was revoked'],
  // A request that breaks a rule
  parameter_unknown: [400, 'The parameter is unknown'],
  parameter_repeated: [400, 'The parameter was given more than once'],
  parameters_too_many: [400, 'The request has too many parameters'],
  encoding_invalid: [400, 'The request is not valid UTF-8'],
  line_invalid: [400, 'A line of the batch is invalid, so nothing was published'],
  batch_too_large: [413, 'The batch contains too many updates'],
  batch_empty: [400, 'The batch contains no update'],
  content_type_missing: [400, 'The request has no Content-Type'],
  form_missing: [400, 'The body is not a form'],
  content_type_invalid: [415, 'The content type is not supported'],
  not_acceptable: [406, 'The client does not accept text/event-stream'],
  origin_refused: [403, 'Pages of this origin may not publish here'],
  misdirected: [421, 'This server does not serve the requested host'],
  host_refused: [403, 'This server accepts only requests for localhost'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'The method is not allowed here'],
  request_timeout: [408, 'The request took too long to arrive'],
  body_too_large: [413, 'The body is too large'],
  headers_too_large: [431, 'The request head is too large'],
  request_aborted: [400, 'The request was aborted'],
  request_malformed: [400, 'The request is not well-formed HTTP'],
  // A configured limit
  connections_too_many: [503, 'The server has reached its limit of streams'],
  address_too_many: [429, 'There are too many streams from this address'],
  subject_too_many: [429, 'There are too many streams for the subject of this token'],
  publishing_too_fast: [429, 'There are too many publish requests'],
  connecting_too_fast: [503, 'Too many streams are beginning'],
  memory_full: [503, 'The server has no memory for another stream'],
  // Deletion
  delete_target_missing: [400, 'The request does not say what to delete'],
  deletion_disabled: [403, 'This server does not delete updates'],
  update_missing: [404, 'There is no such update'],
  deletions_too_many: [503, 'Too many deletions are in progress'],
  // Idempotent publishing
  key_invalid: [400, 'The idempotency key is invalid, so nothing was published'],
  key_reused: [422, 'The idempotency key or id was used for another update, so nothing was published'],
  // The hub itself
  closed: [503, 'The hub is shutting down'],
  storage_full: [507, 'The storage of the history is full, so nothing was published'],
  log_unavailable: [503, 'The log cannot be reached'],
  append_timeout: [504, 'The log did not answer in time; it contains the update once or not at all'],
  internal: [500, 'The hub had an internal error']
} as const satisfies Record<string, readonly [number, string]>

/** The stable name of an error. New codes may be added. The meaning of a code never changes. */
export type ErrorCode = keyof typeof table

/**
 * An error with a stable `code`. `message` is the sentence of the table, followed by a colon and the detail, if
 * any.
 */
export class TidingsError extends Error {
  override readonly name = 'TidingsError'
  readonly code: ErrorCode
  /** The HTTP status of the code. */
  readonly status: number
  /** What was found, the limit, or what to do; undefined for none. */
  readonly detail: string | undefined

  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions) {
    const [status, sentence] = table[code]
    super(detail === undefined ? `${sentence}.` : `${sentence}: ${detail}.`, options)
    this.code = code
    this.status = status
    this.detail = detail
  }
}

/** Names an option as its reader knows it, such as `--publisher-key` for `publisherKey`. */
export type NameOf = (option: string) => string

/**
 * An option has a value that cannot be used. `message` has the names of the options as they are in code; `describe` has them as
 * the reader typed them.
 */
export class OptionError extends RangeError {
  override readonly name = 'OptionError'
  readonly option: string
  /** What is wrong and what to do. A function where it mentions other options. */
  readonly detail: string | ((nameOf: NameOf) => string)

  constructor(option: string, detail: OptionError['detail'], options?: ErrorOptions) {
    super(sentence(option, detail, String), options)
    this.option = option
    this.detail = detail
  }

  describe(nameOf: NameOf): string {
    return sentence(this.option, this.detail, nameOf)
  }
}

function sentence(option: string, detail: OptionError['detail'], nameOf: NameOf): string {
  return `${nameOf(option)}: ${typeof detail === 'string' ? detail : detail(nameOf)}`
}

/**
 * Adds the name of the option to an error of a parser that does not know it.
 * @throws OptionError in place of a RangeError
 */
export function withOptionName<Value>(option: string, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    if (error instanceof OptionError || !(error instanceof RangeError)) throw error
    throw new OptionError(option, error.message, { cause: error })
  }
}
