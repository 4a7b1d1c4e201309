// The type of the server configuration.
import { expectTypeOf, it } from 'vitest'
import type { Config } from '../../dist/server/config/options.js'

it('derives the type of a value from the kind of its option', () => {
  expectTypeOf<Config['port']>().toEqualTypeOf<number>()
  expectTypeOf<Config['durability']>().toEqualTypeOf<'flush' | 'os'>()
  expectTypeOf<Config['dialects']>().toEqualTypeOf<readonly ('1.0' | '0.x')[]>()
  expectTypeOf<Config['corsOrigins']>().toEqualTypeOf<readonly string[]>()
})
