-- Registers a connection, or none, and reads the user's inbox after an offset, or only its head.
-- A process that registers one again says under which incarnations it went, all separated by commas.
-- KEYS: user, inbox.
local device, incarnation, connection, returning, claimed_epoch, after, name, fresh = unpack(ARGV)
local user, inbox = KEYS[1], KEYS[2]
local head, present, invited, sent, missed = unpack(call('HMGET', user, 'h', 'p', 'a', 's', 'm'))
local epoch, offset, check, bytes, oldest, acknowledged, renewed = fresh, 0, '\0\0\0\0', 0, now, 0, 0
if head then epoch, offset, check, bytes, oldest, acknowledged, renewed = unpack_bytes(HEAD, head) end

if device ~= '' then
  -- Tells the node that holds a connection to close it.
  local function close(connected, why)
    call('PUBLISH', '$CHANNEL' .. sub(connected, 1, 16), pack('<BBc1c8B', $VERSION, 3, why, sub(connected, 17, 24), #name)
      .. name)
  end

  local kept, at, list, taken = {}, 1, present or '', false
  while at < #list do
    local finish = at + 24 + byte(list, at + 24)
    local other = sub(list, at, at + 15)
    if sub(list, at + 25, finish) ~= device then
      kept[#kept + 1] = sub(list, at, finish)
    elseif returning ~= '' and not returning:find(other, 1, true) then
      -- The device has connected elsewhere since.
      kept[#kept + 1] = sub(list, at, finish)
      taken = true
    elseif returning == '' and other ~= incarnation then
      close(sub(list, at, finish), 'r')
    end
    at = finish + 1
  end
  if taken then return { now, 'taken' } end
  while #kept > $DEVICES - 1 do close(table.remove(kept, 1), 'm') end
  kept[#kept + 1] = incarnation .. connection .. pack('<B', #device) .. device
  call('HSET', user, 'p', table.concat(kept))
end
if not head or now - renewed > $RENEW then
  renewed = now
  head = pack(HEAD, epoch, offset, check, bytes, oldest, acknowledged, renewed)
  call('HSET', user, 'h', head)
  call('PEXPIRE', user, '$USER_TTL')
  call('PEXPIRE', inbox, '$INBOX_TTL')
end
if returning ~= '' then return { now, 'registered' } end

local entries = false
if after ~= '' and (claimed_epoch == '' or claimed_epoch == epoch) then
  local missing = offset - tonumber(after)
  if missing > 0 then
    entries = call('LRANGE', inbox, -math.min(missing, $ENTRIES), -1)
  elseif missing == 0 or claimed_epoch == '' then
    entries = {}
  end
end
return { now, head, entries, invited or '', sent or '', missed or '' }
