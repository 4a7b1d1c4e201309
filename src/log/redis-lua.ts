// What the scripts inside Redis share: how each begins, and who is on the roster. It calls nothing by itself, and knows nothing
// of selectors, which need JavaScript.

/**
 * What every script begins with. Its arguments are the epoch and the head that the node knows, and an epoch for a log that
 * has to begin anew: because it is the first, because Redis lost everything, or because it lost its newest entries, whose
 * offsets must not be given again.
 */
export const common = `
local meta = KEYS[1] .. ':meta'
local numbers = {'head', 'time', 'first', 'removals', 'floor', 'floorMark', 'version', 'counting', 'counted'}
local epoch = redis.call('HGET', meta, 'epoch')
local replaced = ''
if epoch and epoch == ARGV[1] and tonumber(redis.call('HGET', meta, 'head')) < tonumber(ARGV[2]) then
  replaced = epoch
  epoch = false
end
if not epoch then
  redis.call('DEL', meta)
  epoch = ARGV[3]
  redis.call('HSETNX', meta, 'epoch', epoch)
  redis.call('HSET', meta, 'head', 0, 'first', 1)
end
local m = {}
local found = redis.call('HMGET', meta, unpack(numbers))
for i, name in ipairs(numbers) do m[name] = tonumber(found[i] or '0') end
local space = KEYS[1] .. ':' .. epoch .. ':'
local entries = space .. 'entries'

local function state()
  local rules = redis.call('HGET', meta, 'rules') or ''
  return {epoch, m.head, m.first, m.removals, m.floor, m.floorMark, m.version, m.counting, m.counted, rules, replaced}
end

local function save()
  local fields = {}
  for _, name in ipairs(numbers) do
    fields[#fields + 1] = name
    fields[#fields + 1] = m[name]
  end
  redis.call('HSET', meta, unpack(fields))
end
`

/** Who comes or, with `null`, goes. Answers false for who is on the roster already, or is not. */
export const enrolling = `
local function enroll(topic, change)
  if change == 'null' then return redis.call('HDEL', space .. 'roster', topic) == 1 end
  return redis.call('HSETNX', space .. 'roster', topic, change) == 1
end
`
