// What the scripts inside Redis share: how each begins, and how entries are let go of. It calls nothing by itself, and knows
// nothing of selectors, which need JavaScript.

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

/** Removal, and what has to be told of it. Bounds are `last`, entries, bytes and age of each rule; 0 is none. */
export const keeping = `
local mostTraces, longestTrace = 10000, 1024
local isFirstGone = false

local function ruled(rule) return space .. 'rule:' .. m.version .. ':' .. rule end
local function isBounded(b) return b[2] > 0 or b[3] > 0 or b[4] > 0 end

local function fieldsOf(offset)
  local entry = redis.call('XRANGE', entries, offset .. '-0', offset .. '-0')[1]
  if not entry then return nil end
  local fields = {}
  for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
  return fields
end

local function remove(offset, rule)
  local entry = fieldsOf(offset)
  if not entry then
    redis.call('ZREM', ruled(rule), offset)
    return nil
  end
  redis.call('XDEL', entries, offset .. '-0')
  local key = cjson.decode(entry.k)
  for i = 2, #key do redis.call('ZREM', space .. (i == 2 and 'c:' or 'a:') .. key[i], offset) end
  if entry.i ~= '' then redis.call('LREM', space .. 'i:' .. entry.i, 1, offset) end
  if redis.call('ZREM', ruled(rule), offset) == 1 then redis.call('HINCRBY', meta, 'bytes:' .. rule, -entry.z) end
  if tonumber(offset) == m.first then isFirstGone = true end
  return entry
end

local function raise(offset)
  m.floor = math.max(m.floor, tonumber(offset))
  m.floorMark = m.removals
end

local function note(key, offset)
  m.removals = m.removals + 1
  if #key > longestTrace then return raise(offset) end
  local known = tonumber(redis.call('HGET', space .. 'traces', key) or '0')
  redis.call('HSET', space .. 'traces', key, math.max(known, tonumber(offset)))
  redis.call('ZADD', space .. 'marks', m.removals, key)
  if redis.call('ZCARD', space .. 'marks') <= mostTraces then return end
  local oldest = redis.call('ZPOPMIN', space .. 'marks')[1]
  raise(redis.call('HGET', space .. 'traces', oldest))
  redis.call('HDEL', space .. 'traces', oldest)
end

local function supersede(topic, rule, most)
  local place = space .. 'c:' .. topic
  while redis.call('ZCARD', place) > most do remove(redis.call('ZRANGE', place, 0, 0)[1], rule) end
end

local function add(offset, rule, size, topic, bounds)
  local b = bounds[rule + 1]
  if not b then return end
  if isBounded(b) and redis.call('ZADD', ruled(rule), 'NX', offset, offset) == 1 then
    redis.call('HINCRBY', meta, 'bytes:' .. rule, size)
  end
  if b[1] > 0 then supersede(topic, rule, b[1]) end
end

local function isOver(b, rule, oldest, now)
  if b[2] > 0 and redis.call('ZCARD', ruled(rule)) > b[2] then return true end
  if b[3] > 0 and tonumber(redis.call('HGET', meta, 'bytes:' .. rule) or '0') > b[3] then return true end
  if b[4] == 0 then return false end
  local entry = fieldsOf(oldest)
  return not entry or tonumber(entry.t) < now - b[4]
end

-- Answers whether there is more to trim than one script should, for everyone waits while it runs.
local function trim(bounds, now, budget)
  for at, b in ipairs(bounds) do
    while m.counting == 0 and isBounded(b) do
      local oldest = redis.call('ZRANGE', ruled(at - 1), 0, 0)[1]
      if not oldest or not isOver(b, at - 1, oldest, now) then break end
      if budget == 0 then return 1 end
      budget = budget - 1
      local entry = remove(oldest, at - 1)
      if entry then note(entry.k, oldest) end
    end
  end
  return 0
end

local function finish()
  if isFirstGone then
    local oldest = redis.call('XRANGE', entries, '-', '+', 'COUNT', 1)[1]
    m.first = oldest and tonumber(string.match(oldest[1], '^%d+')) or m.head + 1
  end
  save()
end
`

/** Who comes or, with `null`, goes. Answers false for who is on the roster already, or is not. */
export const enrolling = `
local function enroll(topic, change)
  if change == 'null' then return redis.call('HDEL', space .. 'roster', topic) == 1 end
  return redis.call('HSETNX', space .. 'roster', topic, change) == 1
end
`
