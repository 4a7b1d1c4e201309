-- Keeps the inbox of a node, which exists as long as the node: renews its lease, and creates it where it is missing.
-- KEYS[1] is the inbox. ARGV[1] is the lease in milliseconds; messages before the id ARGV[2] were read. Replies 1 for a new inbox.

if redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 1 then
  redis.call('XTRIM', KEYS[1], 'MINID', ARGV[2])
  return 0
end
redis.call('XADD', KEYS[1], '*', 'begin', '')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
