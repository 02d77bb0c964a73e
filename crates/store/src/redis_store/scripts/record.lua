-- Writes what a commit says of its invitation, and where else that is to be found.
call('HSET', invitation, 't', head, 'r', body, operation_name, operation)
if not stored or sub(stored, 33) ~= sub(head, 33) then call('PEXPIREAT', invitation, retained_until) end
if not stored or sub(stored, 25, 32) ~= sub(head, 25, 32) then
  if deadline ~= '' then
    call('ZADD', due, deadline, id .. 'D')
    call('PEXPIRE', due, '$DUE_TTL')
  elseif stored then
    call('ZREM', due, id .. 'D')
  end
end
for number = first_history, #KEYS do
  call('ZADD', KEYS[number], created_at, id)
  call('PEXPIRE', KEYS[number], '$HISTORY_TTL')
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

-- A ring is pushed at once to whoever is not connected, and to others later. Where it was pushed, its end is too. Events
-- of the invitation (C, S) are due at once.
if pushes ~= '' then
  local at, is_new = 1, false
  while at < #pushes do
    local what, number, patience, length = unpack_bytes('<c1I2I4B', pushes, at)
    local user, when = sub(pushes, at + 8, at + 7 + length), now
    local member = id .. what .. user
    at = at + 8 + length
    if what == 'P' and (users[number][2] or '') ~= '' then
      when = now + patience
    elseif what == 'E' then
      call('ZREM', due, id .. 'P' .. user)
      if call('HEXISTS', invitation, 'P' .. user) == 0 then when = nil end
    end
    if when then
      is_new = true
      call('ZADD', due, string.format('%.0f', when), member)
      if when == now then
        due_now = due_now or {}
        due_now[#due_now + 1] = member
      end
    end
  end
  if is_new then call('PEXPIRE', due, '$DUE_TTL') end
end
