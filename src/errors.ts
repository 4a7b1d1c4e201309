// Every refusal that a caller can meet, in one table: code → HTTP status → one sentence. It knows no transport; `http/`
// turns a code into a response, and a library user switches over `error.code`.

const table = {
  // An update that breaks a rule
  topic_missing: [400, 'An update needs at least one topic'],
  topic_invalid: [400, 'This topic cannot be published'],
  topics_too_many: [400, 'An update has too many topics'],
  data_invalid: [400, 'The data must be well-formed Unicode text'],
  type_invalid: [400, 'This type cannot be published'],
  id_invalid: [400, 'This id cannot be published'],
  retry_invalid: [400, 'retry must be a whole number of milliseconds'],
  private_invalid: [400, 'private is either present or absent'],
  // A subscription that breaks a rule
  selector_invalid: [400, 'This topic selector cannot be subscribed to'],
  selectors_too_many: [400, 'A stream has too many topic selectors'],
  last_invalid: [400, 'last must be a whole number'],
  limit_invalid: [400, 'limit must be a whole number'],
  last_event_id_invalid: [400, 'This id cannot be resumed from'],
  until_invalid: [400, 'until must be a time in milliseconds since 1970'],
  envelope_invalid: [400, 'envelope can only be json'],
  selector_missing: [400, 'A stream needs at least one topic selector'],
  // A token that is missing, or does not do
  token_missing: [401, 'This needs a token, and none was presented'],
  token_invalid: [401, 'The token is not valid here'],
  token_malformed: [400, 'The token was not presented in a way that is understood'],
  cookie_refused: [403, 'A cookie speaks only for pages of known origins'],
  path_invalid: [400, 'There is no such list of subscriptions'],
  not_granted: [403, 'This is not granted'],
  topic_reserved: [403, 'This topic is reserved for the hub itself'],
  authorize_failed: [503, 'The application that decides about this could not be asked'],
  // A request that breaks a rule
  parameter_unknown: [400, 'This parameter is not known'],
  parameter_repeated: [400, 'This parameter was given more than once'],
  parameters_too_many: [400, 'The request has too many parameters'],
  encoding_invalid: [400, 'The request is not valid UTF-8'],
  line_invalid: [400, 'A line of the batch cannot be published, so nothing was'],
  batch_too_large: [413, 'The batch holds too many updates'],
  batch_empty: [400, 'The batch holds no update'],
  content_type_missing: [400, 'The request does not say what its body is'],
  form_missing: [400, 'The body is no form'],
  content_type_invalid: [415, 'This content type cannot be published'],
  not_acceptable: [406, 'The client accepts no event stream'],
  origin_refused: [403, 'A page of another site may not publish here'],
  misdirected: [421, 'This server does not answer for that host'],
  host_refused: [403, 'This server is only for the machine that it runs on'],
  not_found: [404, 'There is nothing here'],
  method_not_allowed: [405, 'This method is not allowed here'],
  request_timeout: [408, 'The request took too long to arrive'],
  body_too_large: [413, 'The body is too large'],
  headers_too_large: [431, 'The request head is too large'],
  request_aborted: [400, 'The request broke off'],
  request_malformed: [400, 'This is not a well-formed HTTP request'],
  // A limit that was set
  connections_too_many: [503, 'There are as many streams as this server takes'],
  address_too_many: [429, 'There are too many streams from this address'],
  subject_too_many: [429, 'There are too many streams for this token'],
  publishing_too_fast: [429, 'This publishes too fast'],
  connecting_too_fast: [503, 'Too many streams begin at this moment'],
  memory_full: [503, 'The server has no memory left for another stream'],
  // What is not to be published twice
  key_invalid: [400, 'This idempotency key cannot be used, so nothing was published'],
  key_reused: [422, 'This idempotency key or id was used for another update, so nothing was published'],
  // The hub itself
  closed: [503, 'The hub is shutting down'],
  storage_full: [507, 'The disk that keeps the history is full, so nothing was published'],
  log_unavailable: [503, 'The log cannot be reached'],
  append_timeout: [504, 'The log did not answer in time; the update is in it once or not at all'],
  internal: [500, 'Something went wrong inside the hub']
} as const satisfies Record<string, readonly [number, string]>

/** The stable name of a refusal. New codes may be added; a code never changes its meaning. */
export type ErrorCode = keyof typeof table

/**
 * A refusal with a stable `code`. `message` is the sentence of the table and, after a colon, the particulars: what was
 * found, what the bound is, what to do.
 */
export class TidingsError extends Error {
  override readonly name = 'TidingsError'
  readonly code: ErrorCode
  /** HTTP status that goes with the code. */
  readonly status: number
  /** What was found, what the bound is, or what to do; without the sentence of the table. */
  readonly particulars: string | undefined

  constructor(code: ErrorCode, particulars?: string, options?: ErrorOptions) {
    const [status, sentence] = table[code]
    super(particulars === undefined ? `${sentence}.` : `${sentence}: ${particulars}.`, options)
    this.code = code
    this.status = status
    this.particulars = particulars
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
