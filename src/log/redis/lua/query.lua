-- Reads, all at one moment, by `args.verb`:
-- `state`; `members`, a page of the roster from `cursor` on; `locate`, the oldest entries with an `id`;
-- `ends`, for each of `topics` its newest entry if that looks like an end, and otherwise nothing;
-- `newest`, the topics of at most `count` entries before `before`, the newest first;
-- `read`, entries after `after`: at most `count`, and no more than one beyond `bytes`, with the traces of what was removed since
-- `removals` of `tracesOf`. With `topics`, only the index of these topics is read.

local verb = args.verb

if verb == 'state' then return reply() end

if verb == 'members' then
  local found = redis.call('HSCAN', keys.roster, args.cursor, 'COUNT', 500)
  return reply({cursor = found[1], members = found[2]})
end

if verb == 'locate' then
  local found = {}
  for _, offset in ipairs(offsetsFrom(keys.ids, idPrefix(args.id), args.from, 20)) do
    local row = redis.call('XRANGE', keys.entries, streamId(offset), streamId(offset))[1]
    found[#found + 1] = {offset, row and row[2][6] or ''}
  end
  return reply({found = found})
end

local function indexed(find, from)
  local offsets, seen = {}, {}
  for _, topic in ipairs(args.topics) do
    for _, prefix in ipairs({canonical(topic), alternate(topic)}) do
      for _, offset in ipairs(find(keys.topics, prefix, from, args.count)) do
        if not seen[offset] then offsets[#offsets + 1] = offset end
        seen[offset] = true
      end
    end
  end
  return offsets
end

local function rowAt(offset) return redis.call('XRANGE', keys.entries, streamId(offset), streamId(offset))[1] end

if verb == 'ends' then
  local found = {}
  for i, topic in ipairs(args.topics) do
    local newest = 0
    for _, prefix in ipairs({canonical(topic), alternate(topic)}) do
      newest = math.max(newest, offsetsBefore(keys.topics, prefix, log.head + 1, 1)[1] or 0)
    end
    local row = newest > 0 and rowAt(newest)
    -- A quote inside a text is escaped, so this is a member of the update.
    found[i] = row and string.find(row[2][10], '"end":true', 1, true) and row or false
  end
  return reply({found = found})
end

if verb == 'newest' then
  local page, through = {}, 0
  if args.topics then
    local offsets = indexed(offsetsBefore, args.before)
    table.sort(offsets, function(a, b) return a > b end)
    for i = 1, math.min(args.count, #offsets) do
      local row = rowAt(offsets[i])
      if row then page[#page + 1] = {offsets[i], row[2][6]} end
      through = offsets[i]
    end
    if #offsets < args.count then through = 0 end
  else
    local last = math.min(args.before - 1, log.head)
    local rows = redis.call('XREVRANGE', keys.entries, streamId(last), streamId(log.first), 'COUNT', args.count)
    for _, row in ipairs(withoutRemoved(rows)) do page[#page + 1] = {readRow(row).offset, row[2][6]} end
    if #rows == args.count then through = readRow(rows[#rows]).offset end
  end
  return reply({page = page, through = through})
end

local page, isEnd, bytes, from = {}, true, args.bytes, math.max(args.after + 1, log.first)
local through = args.after
local function take(row)
  page[#page + 1] = row
  bytes = bytes - tonumber(row[2][4])
  through = tonumber(string.match(row[1], '^%d+'))
  if #page >= args.count or bytes <= 0 then isEnd = false end
  return isEnd
end
if args.topics then
  local offsets = indexed(offsetsFrom, from)
  table.sort(offsets)
  for _, offset in ipairs(offsets) do
    local row = rowAt(offset)
    if row and not take(row) then break end
  end
else
  local rows
  repeat
    rows = redis.call('XRANGE', keys.entries, streamId(from), '+', 'COUNT', 64)
    if #rows > 0 then from = readRow(rows[#rows]).offset + 1 end
    for _, row in ipairs(withoutRemoved(rows)) do
      if not take(row) then break end
    end
  until #rows < 64 or not isEnd
end
local traces, since = {}, args.tracesOf == epoch and '(' .. string.format('%.0f', args.removals) or '-inf'
local marks = redis.call('ZRANGEBYSCORE', keys.marks, since, '+inf', 'WITHSCORES')
for i = 1, #marks, 2 do
  traces[#traces + 1] = {marks[i], tonumber(marks[i + 1]), tonumber(redis.call('HGET', keys.traces, marks[i]))}
end
return reply({page = page, isEnd = isEnd and 1 or 0, through = through, traces = traces})
