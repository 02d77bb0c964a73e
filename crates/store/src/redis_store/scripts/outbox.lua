-- Reads an invitation's place in its outbox, the audience, and the two oldest entries. KEYS: invitation.
local found = redis.call('HMGET', KEYS[1], 'oc', 'A')
if not found[1] then return {} end
local first, _, last = struct.unpack('<I8I4I8', found[1])
if first == last then return {} end
local name = 'o' .. string.format('%.0f', first)
local following = 'o' .. string.format('%.0f', first + 1)
local entries = redis.call('HMGET', KEYS[1], name, following)
return { found[1], found[2], entries[1], entries[2] }
