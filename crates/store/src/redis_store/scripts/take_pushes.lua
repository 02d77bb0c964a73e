-- Takes jobs whose time has come. KEYS: dead letters, queue, states. ARGV: how many, for how long.
local taken = {}
local found = call('ZRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now), 'LIMIT', 0, ARGV[1])
for _, job in ipairs(found) do
  if is_held(KEYS[4], job) then
    -- The creation came back: it was a dead letter that is sent again.
    call('ZADD', KEYS[3], '$HELD', job)
  else
    local known = call('HGET', KEYS[4], job) or pack(STATE, 0, 0, now)
    local _, attempts, queued = unpack_bytes(STATE, known)
    local lease = now + ARGV[2]
    local state = pack(STATE, lease, attempts + 1, queued) .. sub(known, STATE_BYTES + 1)
    call('ZADD', KEYS[3], string.format('%.0f', lease), job)
    call('HSET', KEYS[4], job, state)
    taken[#taken + 1] = job
    taken[#taken + 1] = state
  end
end
return { now, taken }
