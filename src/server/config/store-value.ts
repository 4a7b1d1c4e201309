// Reads the value of the option `store`, which says where history lives: `memory`, a folder, or the URL of Redis.
import { placeOf } from '../../log/redis/address.ts'

const redisUrl = /^rediss?(\+sentinel|\+cluster)?:\/\//

/** What kind of place a value of `store` names. */
export function storeKind(store: string): 'memory' | 'folder' | 'redis' {
  if (store === 'memory') return 'memory'
  return redisUrl.test(store) ? 'redis' : 'folder'
}

/**
 * A folder has to look like a path, with a slash or a dot: a misspelt `memory`, or a host without its `redis://`, must not become
 * the name of a new folder. The error does not quote what may hold a password.
 * @throws RangeError that says what was expected
 */
export function readStore(text: string): string {
  const isRedis = redisUrl.test(text)
  const isPath = /[/\\]/.test(text) ? !text.includes('://') : /^[\w.-]*\.[\w.-]*$/.test(text)
  if (text === 'memory' || isRedis || isPath) return text
  const expected =
    'expected memory, a folder such as ./data, or a URL that begins with redis://, rediss://, ' +
    'redis+sentinel:// or redis+cluster://'
  const hint = /^[\w-]+$/.test(text) ? `, got "${text}"; did you mean ./${text}?` : ''
  throw new RangeError(expected + hint)
}

/** The value of `store` for a folder that `data` names. */
export function storeOfFolder(folder: string): string {
  return /[/\\]/.test(folder) ? folder : `./${folder}`
}

/** Where history lives, for people; without the password of Redis. */
export function describeStore(store: string): string {
  return storeKind(store) === 'redis' ? `Redis at ${placeOf(store)}` : store
}
