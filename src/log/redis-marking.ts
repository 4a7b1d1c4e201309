// What the script that appends does about updates that are not to be appended twice. It appends nothing, and does not know what
// a key is made of.

/**
 * `findRepeated` reads, from an argument on, how many appends have marks; for each the numbers of its first and its last update, for how
 * many milliseconds it is remembered, how many marks, and for each the number of its update, key and fingerprint. It answers
 * which updates are left out, and why; which of them repeat one of this very script; the marks of the others; and the place of the next
 * argument. An append with a key that was used for another update is left out as a whole, as if it had not been sent.
 */
export const marking = `
local function findRepeated(at)
  local left, twins, marks, known = {}, {}, {}, {}
  local appends = tonumber(ARGV[at])
  at = at + 1
  for _ = 1, appends do
    local first, last, ms, count = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), ARGV[at + 2], tonumber(ARGV[at + 3])
    local own, repeated, isReused = {}, {}, false
    at = at + 4
    for _ = 1, count do
      local mark = {update = tonumber(ARGV[at]), key = ARGV[at + 1], print = ARGV[at + 2], ms = ms}
      at = at + 3
      local twin = own[mark.key] or known[mark.key]
      local before = not twin and redis.call('GET', space .. 'o:' .. mark.key)
      local print, offset, time
      if twin then
        print = twin.print
      elseif before then
        offset, time, print = string.match(before, '^(%d+) (%d+) (.*)$')
      end
      if print and print ~= mark.print then isReused = true end
      if print then
        repeated[mark.update] = twin and twin.update or 'repeated ' .. offset .. ' ' .. time
      else
        own[mark.key] = mark
      end
    end
    if isReused then
      for i = first, last do left[i] = 'reused' end
    else
      for key, mark in pairs(own) do
        known[key] = mark
        marks[mark.update] = mark
      end
      for i, what in pairs(repeated) do
        left[i] = what
        if type(what) == 'number' then twins[i] = what end
      end
    end
  end
  return left, twins, marks, at
end

local function remember(mark)
  redis.call('SET', space .. 'o:' .. mark.key, m.head .. ' ' .. m.time .. ' ' .. mark.print, 'PX', mark.ms)
end
`
