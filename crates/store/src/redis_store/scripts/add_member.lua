-- Adds a member to a group that exists and has room. KEYS: group. ARGV: member, limit.
local found = redis.call('SMISMEMBER', KEYS[1], '', ARGV[1])
if found[1] == 0 then return -1 end
if found[2] == 1 then return 1 end
if redis.call('SCARD', KEYS[1]) > tonumber(ARGV[2]) then return 0 end
redis.call('SADD', KEYS[1], ARGV[1])
return 1
