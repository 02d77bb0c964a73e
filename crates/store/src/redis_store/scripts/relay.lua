-- Judges whether a part of an audience still has to be served, and notes that it is.
-- KEYS: doorbell counters, invitation, two for each user, due.
-- ARGV: as they are named here, then a plan for each user, and the events.
local header, origin, id, expected, place, served, next_relay = unpack(ARGV, 1, 7)
local user_count = unpack_bytes('<I2', header)
local before_plans, invitation, due, added = 7, KEYS[2], KEYS[3 + user_count * 2], ''
if call('HGET', invitation, 'oc') ~= expected then return { now, 'moved' } end

call('HSET', invitation, 'oc', place)
if served ~= '' then
  call('HDEL', invitation, served)
  if next_relay == '' then
    call('ZREM', due, id .. 'R')
  else
    call('ZADD', due, next_relay, id .. 'R')
    call('PEXPIRE', due, '$DUE_TTL')
  end
end

local users = {}
for number = 1, user_count do users[number] = call('HMGET', KEYS[1 + number * 2], 'h', 'p') end
