// What the scripts inside Redis share that add to a log and remove from it: places, rules, and traces of what is gone. It calls nothing
// by itself, and is put behind what every script begins with.

/**
 * Removal, and what has to be told of it. Bounds are `last`, entries, bytes and age of each rule; 0 is none. Each call of Redis from
 * a script costs about as much as what it does, so what entries have in common is gathered, and said at the end, or before anything reads it.
 */
export const keeping = `
local mostTraces, longestTrace, most = 10000, 1024, 1000
local isFirstGone, front = false, nil
local keys, grown, noted, marked, filed, places = {}, {}, {}, {}, {}, {}

local function ruled(rule) return space .. 'rule:' .. m.version .. ':' .. rule end
local function isBounded(b) return b[2] > 0 or b[3] > 0 or b[4] > 0 end
local function grow(rule, bytes) grown[rule] = (grown[rule] or 0) + bytes end
local function placeOf(key, i) return space .. (i == 2 and 'c:' or 'a:') .. key[i] end

local function keyOf(text)
  keys[text] = keys[text] or cjson.decode(text)
  return keys[text]
end

-- Places are sets of offsets. One call takes some thousands of arguments, and no more.
local function settle(command, step)
  for _, place in ipairs(places) do
    local offsets = filed[place]
    for from = 1, #offsets, most * step do
      redis.call(command, place, unpack(offsets, from, math.min(#offsets, from + most * step - 1)))
    end
  end
  filed, places = {}, {}
end

local function file(place, offset, isScored)
  local offsets = filed[place]
  if not offsets then
    offsets = {}
    filed[place] = offsets
    places[#places + 1] = place
  end
  if isScored then offsets[#offsets + 1] = offset end
  offsets[#offsets + 1] = offset
end

-- An entry has its fields in the order in which it was given them.
local function named(entry)
  local fields = entry[2]
  return {t = fields[2], z = fields[4], k = fields[6], i = fields[8]}
end

local function fieldsOf(offset)
  local entry = redis.call('XRANGE', entries, offset .. '-0', offset .. '-0')[1]
  return entry and named(entry)
end

local function forgetId(entry, offset)
  if entry.i ~= '' then redis.call('LREM', space .. 'i:' .. entry.i, 1, offset) end
  if tonumber(offset) == m.first then isFirstGone = true end
end

local function supersede(topic, rule, last)
  local place = space .. 'c:' .. topic
  while redis.call('ZCARD', place) > last do
    local offset = redis.call('ZRANGE', place, 0, 0)[1]
    local entry = fieldsOf(offset)
    local isRuled = redis.call('ZREM', ruled(rule), offset) == 1
    if entry then
      redis.call('XDEL', entries, offset .. '-0')
      local key = keyOf(entry.k)
      for i = 2, #key do redis.call('ZREM', placeOf(key, i), offset) end
      forgetId(entry, offset)
      if isRuled then grow(rule, -entry.z) end
    end
  end
end

local function raise(offset)
  m.floor = math.max(m.floor, tonumber(offset))
  m.floorMark = m.removals
end

local function note(key, offset)
  m.removals = m.removals + 1
  if #key > longestTrace then return raise(offset) end
  if not marked[key] then noted[#noted + 1] = key end
  local before = marked[key]
  marked[key] = {m.removals, math.max(before and before[2] or 0, tonumber(offset))}
end

local function trace(key)
  local mark, offset = marked[key][1], marked[key][2]
  local known = tonumber(redis.call('HGET', space .. 'traces', key) or '0')
  redis.call('HSET', space .. 'traces', key, math.max(known, offset))
  redis.call('ZADD', space .. 'marks', mark, key)
  if redis.call('ZCARD', space .. 'marks') <= mostTraces then return end
  local oldest = redis.call('ZPOPMIN', space .. 'marks')[1]
  raise(redis.call('HGET', space .. 'traces', oldest))
  redis.call('HDEL', space .. 'traces', oldest)
end

-- What is new is filed with the others, but where older ones give way to it at once.
local function add(offset, rule, size, topic, bounds, isNew)
  local b = bounds[rule + 1]
  if not b then return end
  if isBounded(b) then
    if isNew and b[1] == 0 then
      file(ruled(rule), offset, true)
      grow(rule, size)
    elseif redis.call('ZADD', ruled(rule), 'NX', offset, offset) == 1 then
      grow(rule, size)
    end
  end
  if b[1] > 0 then supersede(topic, rule, b[1]) end
end

-- The oldest of a rule, and what they hold. Where it is the only rule, they lie side by side.
local function pageOf(rule, count)
  local offsets, found = redis.call('ZRANGE', ruled(rule), 0, count - 1), {}
  if #offsets == 0 then return offsets, found end
  local from, to = offsets[1] .. '-0', offsets[#offsets] .. '-0'
  for _, entry in ipairs(redis.call('XRANGE', entries, from, to, 'COUNT', #offsets)) do
    found[string.match(entry[1], '^%d+')] = named(entry)
  end
  for _, offset in ipairs(offsets) do found[offset] = found[offset] or fieldsOf(offset) end
  return offsets, found
end

-- Lets go of entries. All that are the oldest in the stream go at once.
local function remove(rule, gone, found)
  if #gone == 0 then return end
  front = front or (not isFirstGone and m.first)
  local isFront, ids = tonumber(gone[1]) == front, {}
  for i, offset in ipairs(gone) do
    local entry = found[offset]
    isFront = isFront and entry and tonumber(offset) == gone[1] + i - 1
    file(ruled(rule), offset)
    if entry then
      ids[#ids + 1] = offset .. '-0'
      local key = keyOf(entry.k)
      for j = 2, #key do file(placeOf(key, j), offset) end
      forgetId(entry, offset)
      grow(rule, -entry.z)
      note(entry.k, offset)
    end
  end
  front = isFront and gone[#gone] + 1
  if isFront then redis.call('XTRIM', entries, 'MINID', string.format('%.0f-0', front))
  elseif #ids > 0 then redis.call('XDEL', entries, unpack(ids)) end
  settle('ZREM', 1)
end

local function trimRule(rule, b, now, budget)
  local count = redis.call('ZCARD', ruled(rule))
  local bytes = tonumber(redis.call('HGET', meta, 'bytes:' .. rule) or '0') + (grown[rule] or 0)
  local size = 1
  while true do
    local isTooMany = b[2] > 0 and count > b[2]
    if not isTooMany and not (b[3] > 0 and bytes > b[3]) and b[4] == 0 then return 0, budget end
    if isTooMany then size = math.max(size, math.min(200, count - b[2])) end
    local offsets, found = pageOf(rule, size)
    local gone = {}
    for _, offset in ipairs(offsets) do
      local entry = found[offset]
      local isOver = (b[2] > 0 and count > b[2]) or (b[3] > 0 and bytes > b[3])
        or (b[4] > 0 and (not entry or tonumber(entry.t) < now - b[4]))
      if not isOver then
        remove(rule, gone, found)
        return 0, budget
      end
      if budget == 0 then
        remove(rule, gone, found)
        return 1, budget
      end
      gone[#gone + 1] = offset
      budget, count = budget - 1, count - 1
      if entry then bytes = bytes - entry.z end
    end
    if #gone == 0 then return 0, budget end
    remove(rule, gone, found)
    size = math.min(200, size * 4)
  end
end

-- Answers whether there is more to trim than one script should, for everyone waits while it runs.
local function trim(bounds, now, budget)
  settle('ZADD', 2)
  if m.counting > 0 then return 0 end
  for at, b in ipairs(bounds) do
    if isBounded(b) then
      local unfinished
      unfinished, budget = trimRule(at - 1, b, now, budget)
      if unfinished == 1 then return 1 end
    end
  end
  return 0
end

local function finish()
  for _, key in ipairs(noted) do trace(key) end
  for rule, bytes in pairs(grown) do
    if bytes ~= 0 then redis.call('HINCRBY', meta, 'bytes:' .. rule, bytes) end
  end
  if isFirstGone then
    local oldest = redis.call('XRANGE', entries, '-', '+', 'COUNT', 1)[1]
    m.first = oldest and tonumber(string.match(oldest[1], '^%d+')) or m.head + 1
  end
  save()
end
`
