-- Begins, renews or ends a node process's lease, and rings its own channel: a probe of the whole way.
-- KEYS: nodes, doorbell counters, descriptions. ARGV: begin, renew, tidy or end; incarnation; channel; probe number;
-- what it says of itself, or nothing.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local what, incarnation = ARGV[1], ARGV[2]
if what == 'end' then
  redis.call('ZREM', KEYS[1], incarnation)
  redis.call('HDEL', KEYS[2], incarnation)
  redis.call('HDEL', KEYS[3], incarnation)
  return { now }
end
local held = redis.call('ZSCORE', KEYS[1], incarnation)
if what ~= 'begin' and not (held and tonumber(held) > now) then return { now, 0 } end
redis.call('ZADD', KEYS[1], now + $LEASE, incarnation)
if what ~= 'renew' then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - $LEASE)
  for index = 2, 3 do
    for _, known in ipairs(redis.call('HKEYS', KEYS[index])) do
      if not redis.call('ZSCORE', KEYS[1], known) then redis.call('HDEL', KEYS[index], known) end
    end
  end
  redis.call('HINCRBY', KEYS[2], incarnation, 0)
  redis.call('PEXPIRE', KEYS[1], $NODES_TTL)
  redis.call('PEXPIRE', KEYS[2], $NODES_TTL)
  redis.call('PEXPIRE', KEYS[3], $NODES_TTL)
end
-- Whoever is the first to say something makes the key.
if ARGV[5] ~= '' and redis.call('HSET', KEYS[3], incarnation, ARGV[5]) == 1 then
  redis.call('PEXPIRE', KEYS[3], $NODES_TTL)
end
local rung = tonumber(redis.call('HGET', KEYS[2], incarnation) or 0)
local message = struct.pack('<BBI8I8', 1, 2, rung, tonumber(ARGV[4]))
local heard = redis.call('PUBLISH', ARGV[3] .. incarnation, message)
return { now, 1, heard, redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf') }
