-- What is due in some partitions, each earliest first. KEYS: the partitions' lists. ARGV: until, limit.
local found = {}
for index, key in ipairs(KEYS) do
  local rows = redis.call('ZRANGEBYSCORE', key, '-inf', ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
  for at = 1, #rows do found[#found + 1] = rows[at] end
end
return found
