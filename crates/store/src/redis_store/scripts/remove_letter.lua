-- Removes a dead letter. KEYS: dead letters, queue, states. ARGV: the letter's id; the job to queue, or nothing.
if call('ZREM', KEYS[1], ARGV[1]) == 0 then return { now, 0 } end
call('HDEL', KEYS[2], ARGV[1])
if ARGV[2] ~= '' then add(KEYS[3], KEYS[4], ARGV[2], now) end
return { now, 1 }
