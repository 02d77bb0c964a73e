-- Writes what the plans say of the users, and notes what each node process has to be told.
-- A plan: the epoch of an inbox that does not exist yet, how many entries and changes, for each entry its event and
-- its check, for each change what to do with which list and which invitation; the name behind its length.
local now_bytes, before_events = pack('<I8', now), before_plans + user_count
-- What a node process is told, by its incarnation; and these in the order in which they came up.
local nodes, order = {}, {}

for number = 1, user_count do
  local user, plan = users[number], ARGV[before_plans + number]
  local key, inbox = KEYS[1 + number * 2], KEYS[2 + number * 2]
  local entries, changes = byte(plan, 9, 10)
  local head, at, expires = user[1], 11, false
  local epoch, offset, check, bytes, oldest, acknowledged, renewed
  if head then
    epoch, offset, check, bytes, oldest, acknowledged, renewed = unpack_bytes(HEAD, head)
  else
    epoch, offset, check, bytes, oldest, acknowledged, renewed = sub(plan, 1, 8), 0, '\0\0\0\0', 0, now, 0, 0
    -- A list without a head is of an inbox that is no more.
    if entries > 0 then call('DEL', inbox) end
  end
  if now - renewed > $RENEW then renewed, expires = now, true end

  for _ = 1, entries do
    local event, fresh = unpack_bytes('<I2c4', plan, at)
    local body = ARGV[before_events + event]
    at = at + 6
    local value = now_bytes .. fresh .. check .. body
    local length = call('RPUSH', inbox, value)
    bytes = bytes + #value
    if length == 1 then
      -- The list is new, and has no expiry.
      bytes, oldest, renewed, expires = #value, now, now, true
    elseif length > $ENTRIES + $SLACK or bytes > $BYTES + $SLACK_BYTES or now - oldest > $AGE + $RENEW then
      -- Well over a bound: the oldest go, down to the bound. The newest stays.
      if length > $ENTRIES then
        for _, dropped in ipairs(call('LPOP', inbox, length - $ENTRIES)) do bytes = bytes - #dropped end
        length = $ENTRIES
      end
      oldest = unpack_bytes('<I8', call('LINDEX', inbox, 0))
      while length > 1 and (bytes > $BYTES or now - oldest >= $AGE) do
        bytes, length = bytes - #call('LPOP', inbox), length - 1
        oldest = unpack_bytes('<I8', call('LINDEX', inbox, 0))
      end
    end
    offset = offset + 1
    head = pack(HEAD, epoch, offset, fresh, bytes, oldest, acknowledged, renewed)

    -- Where the user has several connections, the process is told once.
    local told, connections, connection = sub(head, 1, POSITION) .. check, user[2] or '', 1
    while connection < #connections do
      local incarnation = sub(connections, connection, connection + 15)
      connection = connection + 25 + byte(connections, connection + 24)
      local node = nodes[incarnation]
      if not node then
        nodes[incarnation] = { users = 1, names = sub(plan, 11 + entries * 6 + changes * 20), places = told .. '\0\0',
          bodies = body, last = told, event = event, index = 0 }
        order[#order + 1] = incarnation
      elseif node.last ~= told then
        -- Who gets the same event comes in a row.
        if node.event ~= event then
          node.bodies, node.event, node.index = node.bodies .. body, event, node.index + 1
        end
        node.users, node.names = node.users + 1, node.names .. sub(plan, 11 + entries * 6 + changes * 20)
        node.places, node.last = node.places .. told .. pack('<I2', node.index), told
      end
    end
    check = fresh
  end

  -- The last change is written together with the head.
  local changed, list_bytes
  for _ = 1, changes do
    local what, list, marked = unpack_bytes('<c1Bc18', plan, at)
    at = at + 20
    if changed then call('HSET', key, changed, list_bytes) end
    changed, list_bytes = list == 3 and 'a' or 's', user[list] or ''
    -- No name contains the mark before the id, and nothing else is equal to an id.
    local first = find(list_bytes, marked, 1, true)
    if first then list_bytes = sub(list_bytes, 1, first - 1) .. sub(list_bytes, first + 36 + byte(list_bytes, first + 35)) end
    if what == '+' then list_bytes = list_bytes .. added end
    user[list] = list_bytes
    if what == 'm' then
      -- What was missed has a fixed size, and stands oldest first: what is too old is in front.
      local missed = (user[5] or '') .. pack('<I8', offset) .. sub(marked, 2) .. now_bytes
      local kept = math.max(1, #missed - $MISSED * 33 + 1)
      while kept < #missed and now - unpack_bytes('<I8', missed, kept + 25) >= $MISSED_AGE do kept = kept + 33 end
      user[5] = sub(missed, kept)
      call('HSET', key, 'm', user[5])
    end
  end
  if expires and entries == 0 then head = pack(HEAD, epoch, offset, check, bytes, oldest, acknowledged, renewed) end
  if changed and user[6] then
    -- Who is rung gets an event and an active invitation; when that was, guards have noted.
    call('HSET', key, 'h', head, changed, list_bytes, 'w', user[6])
  elseif changed then
    call('HSET', key, 'h', head, changed, list_bytes)
  elseif entries > 0 then
    call('HSET', key, 'h', head)
  end
  if expires and entries + changes > 0 then
    call('PEXPIRE', key, '$USER_TTL')
    call('PEXPIRE', inbox, '$INBOX_TTL')
  end
end
