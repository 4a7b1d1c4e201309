-- Deduplication: which updates of a group are not appended because their key is known.
-- `args.dedup` has an object for each append with keys: the numbers of its `first` and `last` update, `ttl` in milliseconds, and
-- `keys`, each with the number of its `update`, its `key` and its `fingerprint`.

-- Answers, by the number of the update: why it is left out; which update of this group it repeats; and the keys to remember.
-- An append with a key that was used for another update is left out as a whole.
local function findRepeated()
  local skipped, twins, remembered, known = {}, {}, {}, {}
  for _, append in ipairs(args.dedup) do
    local own, repeated, isReused = {}, {}, false
    for _, one in ipairs(append.keys) do
      local twin = own[one.key] or known[one.key]
      local before = not twin and redis.call('GET', KEYS[1] .. ':' .. epoch .. ':dedup:' .. one.key)
      local fingerprint, offset, time
      if twin then
        fingerprint = twin.fingerprint
      elseif before then
        offset, time, fingerprint = string.match(before, '^(%d+) (%d+) (.*)$')
      end
      if fingerprint and fingerprint ~= one.fingerprint then isReused = true end
      if fingerprint then
        repeated[one.update] = twin and twin.update or 'repeated ' .. offset .. ' ' .. time
      else
        own[one.key] = {key = one.key, fingerprint = one.fingerprint, update = one.update, ttl = append.ttl}
      end
    end
    if isReused then
      for i = append.first, append.last do skipped[i] = 'reused' end
    else
      for key, one in pairs(own) do
        known[key] = one
        remembered[one.update] = one
      end
      for i, outcome in pairs(repeated) do
        skipped[i] = outcome
        if type(outcome) == 'number' then twins[i] = outcome end
      end
    end
  end
  return skipped, twins, remembered
end

local function remember(one)
  local value = string.format('%.0f %.0f ', log.head, log.time) .. one.fingerprint
  redis.call('SET', KEYS[1] .. ':' .. epoch .. ':dedup:' .. one.key, value, 'PX', string.format('%.0f', one.ttl))
end
