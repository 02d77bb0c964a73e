-- Gives an inbox a new life if it still has the expected one. Offsets go on, entries go.
-- KEYS: user, inbox. ARGV: expected epoch, new epoch, new check.
local head = redis.call('HGET', KEYS[1], 'h')
if not head then return 0 end
local epoch, offset, _, _, oldest, acknowledged, renewed = struct.unpack('<c8I8c4I8I8I8I8', head)
if epoch ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[1], 'h', struct.pack('<c8I8c4I8I8I8I8', ARGV[2], offset, ARGV[3], 0, oldest, acknowledged,
  renewed))
return 1
