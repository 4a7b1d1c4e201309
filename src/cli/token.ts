// `tidings token`: mints a token and prints it alone, so that a script can take it as it is. It knows no server.
import { Command, Option as Flag } from 'commander'
import type { Dialect } from '../auth/dialect.ts'
import type { Json } from '../auth/grants.ts'
import { type MintOptions, mint } from '../auth/mint.ts'
import { hubPath } from '../http/access/options.ts'
import { type Config, ConfigError, configure } from '../server/config/config.ts'
import { parseDuration } from '../units.ts'

interface Flags {
  readonly publish: string[]
  readonly subscribe: string[]
  readonly dialect: Dialect
  readonly expires: string
  readonly payload?: string
  readonly key?: string
  readonly algorithm?: string
  readonly audience?: string
  readonly issuer?: string
  readonly subject?: string
}

const examples = `
Examples:
  export TIDINGS_PUBLISHER_KEY="$(openssl rand -hex 32)"
  tidings token --publish 'orders/{id}' --expires 10m
  curl -H "Authorization: Bearer $(tidings token --publish '*')" -d hello http://127.0.0.1:5000/publish
`

export function tokenCommand(): Command {
  return new Command('token')
    .description('Mint a token and print it, alone, on stdout.')
    .option('--publish <topic>', 'what may be published: a topic, a/{x}, or *; may be given several times', collect, [])
    .option('--subscribe <topic>', 'of what private updates may be read; may be given several times', collect, [])
    .addOption(new Flag('--dialect <dialect>', 'of Mercure').choices(['1.0', '0.x']).default('1.0'))
    .option('--expires <duration>', 'how long it lasts, such as 10m or 7d; never, in 0.x', '1h')
    .option('--payload <json>', 'told to those who see the subscriptions, as JSON')
    .option('--key <key>', 'secret, or private key as PEM or JWK (TIDINGS_PUBLISHER_KEY, TIDINGS_SUBSCRIBER_KEY)')
    .option('--algorithm <name>', 'such as HS512; left out, what goes with the key')
    .option(
      '--audience <url>',
      'the hub that it is for, in 1.0 (TIDINGS_AUDIENCE, default the server at its default address)'
    )
    .option('--issuer <name>', 'who made it (TIDINGS_ISSUERS, default tidings)')
    .option('--subject <name>', 'who it is for')
    .addHelpText('after', examples)
    .action((flags: Flags) => printToken(flags))
}

function collect(value: string, values: string[]): string[] {
  return [...values, value]
}

async function printToken(flags: Flags): Promise<void> {
  try {
    process.stdout.write(`${await mint(mintOptions(flags, configure({}, process.env)))}\n`)
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof RangeError)) throw error
    console.error(`tidings: ${error.message}`)
    process.exitCode = 1
  }
}

function mintOptions(flags: Flags, config: Config): MintOptions {
  const { publish, subscribe, dialect, algorithm, subject, payload } = flags
  if (publish.length + subscribe.length === 0) {
    throw new ConfigError("say what the token is for: --publish 'a/{x}', --subscribe '*', or both")
  }
  const issuer = flags.issuer ?? issuerOf(config)
  const expiresIn = readExpiry(flags)
  return {
    dialect,
    publish,
    subscribe,
    key: flags.key ?? keyFor(flags, config),
    audience: flags.audience ?? audienceOf(config),
    ...(issuer !== undefined && { issuer }),
    ...(algorithm !== undefined && { algorithm }),
    ...(subject !== undefined && { subject }),
    ...(expiresIn !== undefined && { expiresIn }),
    ...(payload !== undefined && { payload: readPayload(payload) })
  }
}

/** One token has one signature, so that a key has to be right for all that it is for. */
function keyFor({ publish, subscribe }: Flags, { publisherKey, subscriberKey }: Config): string {
  if (publish.length > 0 && subscribe.length > 0 && publisherKey !== subscriberKey) {
    throw new ConfigError('publishers and subscribers have different keys; mint a token for each')
  }
  const [key, variable] =
    publish.length > 0 ? [publisherKey, 'TIDINGS_PUBLISHER_KEY'] : [subscriberKey, 'TIDINGS_SUBSCRIBER_KEY']
  if (key === '') throw new ConfigError(`there is nothing to sign with; set ${variable}, or say --key`)
  return key
}

function issuerOf({ issuers: [first] }: Config): string | undefined {
  return typeof first === 'object' ? first.issuer : first
}

function audienceOf({ audience: [first], publicUrls: [url], host, port }: Config): string {
  if (first !== undefined) return first
  return new URL(hubPath, url ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`).href
}

function readExpiry({ expires, dialect }: Flags): number | undefined {
  if (expires === 'never' && dialect === '0.x') return undefined
  if (expires === 'never')
    throw new ConfigError('--expires: a token of Mercure 1.0 has to end; choose a duration, such as 30d')
  const seconds = Math.ceil(milliseconds(expires) / 1_000)
  if (seconds === 0) throw new ConfigError('--expires: a token has to last for a while; choose a duration, such as 1h')
  return seconds
}

function milliseconds(expires: string): number {
  try {
    return parseDuration(expires)
  } catch (error) {
    throw new ConfigError(`--expires: ${(error as Error).message}`)
  }
}

function readPayload(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    throw new ConfigError(`--payload: expected JSON such as '{"name":"Ada"}', not ${JSON.stringify(text)}`)
  }
}
