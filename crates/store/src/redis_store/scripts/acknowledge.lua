-- Raises how far a user acknowledged this life of the inbox. KEYS: user. ARGV: epoch, offset.
local head = redis.call('HGET', KEYS[1], 'h')
if not head then return 0 end
local epoch, offset, check, bytes, oldest, acknowledged, renewed = struct.unpack('<c8I8c4I8I8I8I8', head)
local wanted = math.min(tonumber(ARGV[2]), offset)
if epoch ~= ARGV[1] or wanted <= acknowledged then return 0 end
redis.call('HSET', KEYS[1], 'h', struct.pack('<c8I8c4I8I8I8I8', epoch, offset, check, bytes, oldest, wanted, renewed))
return 1
