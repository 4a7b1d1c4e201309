// Makes tokens, to try a hub out and for publishers without an issuer.
import { randomUUID } from 'node:crypto'
import { type JWTPayload, SignJWT } from 'jose'
import { OptionError, withOptionName } from '../errors.ts'
import { isObject } from '../json.ts'
import { detailType, isMatch, operateGrant } from './claims.ts'
import type { Dialect } from './dialect.ts'
import type { Json } from './grants.ts'
import { readSigningKey, type SigningKey } from './signing-key.ts'

export interface MintOptions {
  readonly dialect: Dialect
  /** A secret, a PEM private key or a private JWK. */
  readonly key: string
  /** Default: the first algorithm of the key, as in `algorithmsFor`. */
  readonly algorithm?: string
  /** Selectors of the topics that may be published to. `mint` converts them for 1.0. */
  readonly publish: readonly string[]
  /** Selectors of the private updates that may be read. */
  readonly subscribe: readonly string[]
  /** Whether the bearer may operate the hub; default false. */
  readonly operate?: boolean
  /** The payload of the bearer's subscriptions. In 1.0 an object, and only together with `subscribe`. */
  readonly payload?: Json
  /** In seconds; default 3,600 for 1.0, and no expiry for 0.x. */
  readonly expiresIn?: number
  /** The claim `iss`; default `tidings` for 1.0, and none for 0.x. */
  readonly issuer?: string
  /** The claim `aud`, usually the hub's URL. 1.0 requires it. */
  readonly audience?: string | readonly string[]
  /** The claim `sub`. */
  readonly subject?: string
}

/**
 * Makes and signs a token. In 0.x, selectors are used as they are. 1.0 has two types of selectors, so a selector
 * becomes
 *
 * - `*`, if it is `*`
 * - a URL pattern, if it is a URI template whose variables are whole path segments: `{id}` becomes `:id`. Other
 *   expressions have no exact equivalent and are refused
 * - a URL pattern, if it contains `*`, or `:name` without a letter or digit before it. The colons in `urn:uuid:` do not
 *   count
 * - the exact topic otherwise
 * @throws OptionError, which does not quote the key
 */
export async function mint(options: MintOptions): Promise<string> {
  const { dialect, key, algorithm } = options
  const signing = readSigningKey(key, algorithm)
  const token = new SignJWT({ ...(dialect === '0.x' ? legacyClaims(options) : modernClaims(options)) })
  return token.setProtectedHeader(headerOf(signing, dialect)).sign(signing.key)
}

function headerOf({ algorithm, kid }: SigningKey, dialect: Dialect) {
  return { alg: algorithm, typ: dialect === '0.x' ? 'JWT' : 'at+jwt', ...(kid !== undefined && { kid }) }
}

function legacyClaims(options: MintOptions): JWTPayload {
  const { publish, subscribe, operate, payload, issuer } = options
  const mercure = {
    ...(publish.length > 0 && { publish }),
    ...(subscribe.length > 0 && { subscribe }),
    ...(payload !== undefined && { payload }),
    ...(operate && { [operateGrant]: true })
  }
  return { ...(issuer !== undefined && { iss: issuer }), ...commonClaims(options), mercure }
}

function modernClaims(options: MintOptions): JWTPayload {
  const { publish, subscribe, operate, payload, issuer = 'tidings', audience, expiresIn = 3_600 } = options
  if (audience === undefined || audience.length === 0)
    throw new OptionError('audience', 'required for a token of Mercure 1.0; give the URL of the hub')
  if (payload !== undefined && (!isObject(payload) || subscribe.length === 0)) {
    throw new OptionError(
      'payload',
      (nameOf) => `expected an object, together with ${nameOf('subscribe')}, for Mercure 1.0`
    )
  }
  const operating = operate ? { type: operateGrant } : undefined
  const details = [detail('publish', publish), detail('subscribe', subscribe, payload), operating]
  const common = commonClaims({ ...options, expiresIn })
  return {
    iss: issuer,
    ...common,
    authorization_details: details.filter((one) => one !== undefined)
  }
}

function commonClaims({ audience, subject, expiresIn }: MintOptions): JWTPayload {
  const now = Math.floor(Date.now() / 1_000)
  if (expiresIn !== undefined && !(expiresIn > 0 && Number.isFinite(expiresIn))) {
    throw new OptionError('expiresIn', 'expected a number of seconds greater than 0')
  }
  return {
    ...(audience !== undefined && { aud: typeof audience === 'string' ? audience : [...audience] }),
    ...(subject !== undefined && { sub: subject }),
    iat: now,
    // Without an id, and without a subject, a token cannot be revoked.
    jti: randomUUID(),
    ...(expiresIn !== undefined && { exp: now + expiresIn })
  }
}

function detail(action: 'publish' | 'subscribe', selectors: readonly string[], payload?: Json): object | undefined {
  if (selectors.length === 0) return undefined
  const topics = withOptionName(action, () => selectors.map(topicOf))
  return { type: detailType, actions: [action], topics, ...(payload !== undefined && { payload }) }
}

function topicOf(selector: string): object {
  if (!isMatch(selector))
    throw new RangeError(
      `${JSON.stringify(selector)} is not a topic selector of Mercure 1.0; give a topic, a URI template, a URL pattern or *`
    )
  if (selector === '*') return { match: '*' }
  if (selector.includes('{')) return { match: fromTemplate(selector), match_type: 'urlpattern' }
  return hasPattern(selector) ? { match: selector, match_type: 'urlpattern' } : { match: selector }
}

function hasPattern(text: string): boolean {
  return /\*|(^|[^A-Za-z0-9]):[A-Za-z_]/.test(text)
}

const variable = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/

function fromTemplate(template: string): string {
  const names = new Set<string>()
  const segments = template.split('/').map((segment) => {
    const name = variable.exec(segment)?.[1]
    if (name === undefined ? /[{}()*+?\\]/.test(segment) || hasPattern(segment) : names.has(name)) {
      throw new RangeError(
        `${JSON.stringify(template)} cannot be converted to a URL pattern; write it as one, such as https://example.com/books/:id`
      )
    }
    if (name !== undefined) names.add(name)
    return name === undefined ? segment : `:${name}`
  })
  return segments.join('/')
}
