-- Registers a device, and makes room for it. KEYS: the user's devices. ARGV: device, its row, limit.
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
local over = redis.call('HLEN', KEYS[1]) - tonumber(ARGV[3])
if over <= 0 then return 0 end
local rows, others = redis.call('HGETALL', KEYS[1]), {}
for at = 1, #rows, 2 do
  -- A row begins with its time, the most significant byte first, so that bytes compare as numbers do.
  if rows[at] ~= ARGV[1] then others[#others + 1] = { string.sub(rows[at + 1], 1, 8), rows[at] } end
end
table.sort(others, function(one, other)
  if one[1] ~= other[1] then return one[1] < other[1] end
  return one[2] < other[2]
end)
for at = 1, over do redis.call('HDEL', KEYS[1], others[at][2]) end
return over
