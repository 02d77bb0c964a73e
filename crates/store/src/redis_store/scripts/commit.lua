-- Writes what a transition says, all of it or nothing, under the checks that it carries.
-- KEYS: doorbell counters, invitation, two for each user, due, groups, histories.
-- ARGV: as they are named here, then a plan for each user, the events, and what guards name.
local header, origin, id, expected, head, body, operation_name, operation, retained_until, deadline, added, guards,
  created_at, broadcast, audience = unpack(ARGV, 1, 15)
local sent_at, not_before, user_count, event_count, first_history, reads_missed = unpack_bytes('<I8I8I2I2I2B', header)
local before_plans, invitation, due = 15, KEYS[2], KEYS[3 + user_count * 2]
before_events, entry = before_plans + user_count, added

-- A head: version and tag, which say what state it is; then the deadline, and the end of its retention.
local found = call('HMGET', invitation, 't', 'oc')
local stored, place = found[1], found[2]
if stored and sub(stored, 9, 24) == sub(head, 9, 24) then return { now, 'committed' } end
if math.abs(now - sent_at) > $STALE then return { now, 'stale' } end
if now < not_before then return { now, 'early' } end
if (stored and sub(stored, 1, 24) or '') ~= expected then
  return { now, 'conflict', stored, stored and call('HGET', invitation, 'r') }
end

local users = {}
for number = 1, user_count do
  local key = KEYS[1 + number * 2]
  if reads_missed == 1 then
    users[number] = call('HMGET', key, 'h', 'p', 'a', 's', 'm')
  else
    users[number] = call('HMGET', key, 'h', 'p', 'a', 's')
  end
end
if guards ~= '' then
  local failures = check_guards(guards, users, before_events + event_count)
  if #failures > 0 then return { now, 'guarded', failures } end
end

-- From here on everything is written.
for number = 1, user_count do write_user(number, users[number], ARGV[before_plans + number]) end
for number = first_history, #KEYS do
  call('ZADD', KEYS[number], created_at, id)
  call('PEXPIRE', KEYS[number], '$HISTORY_TTL')
end

call('HSET', invitation, 't', head, 'r', body, operation_name, operation)
if not stored or sub(stored, 33) ~= sub(head, 33) then call('PEXPIREAT', invitation, retained_until) end
if deadline ~= '' then
  if not stored or sub(stored, 25, 32) ~= sub(head, 25, 32) then
    call('ZADD', due, deadline, id .. 'D')
    call('PEXPIRE', due, '$DUE_TTL')
  end
elseif stored and sub(stored, 25, 32) ~= sub(head, 25, 32) then
  call('ZREM', due, id .. 'D')
end

-- A broadcast waits in the invitation's outbox for whoever relays it to the audience.
if audience ~= '' then
  call('HSET', invitation, 'A', audience)
  place = pack('<I8I4I8', 0, 0, 0)
end
if place and (broadcast ~= '' or audience ~= '') then
  local first, done, last = unpack_bytes('<I8I4I8', place)
  if broadcast ~= '' then
    local relay_at = now + $RELAY_AFTER
    call('HSET', invitation, string.format('o%.0f', last), pack('<I8', relay_at) .. broadcast)
    if first == last then
      call('ZADD', due, string.format('%.0f', relay_at), id .. 'R')
      call('PEXPIRE', due, '$DUE_TTL')
    end
    last = last + 1
  end
  call('HSET', invitation, 'oc', pack('<I8I4I8', first, done, last))
end

return { now, 'committed', ring(origin) }
