-- Registers a connection, or none, and reads the user's inbox after an offset, or only its head.
-- A process that registers one again says under which incarnations it went, all separated by commas.
-- KEYS: user, inbox.
local channel, device, incarnation, connection = argument(), argument(), argument(), argument()
local returning, claimed_epoch, after = argument(), argument(), argument()
user_keys, user_arguments = 0, cursor
local user = find_user(1)

if device ~= '' then
  -- Tells the node that holds a connection to close it.
  local function close(present, why)
    call('PUBLISH', channel .. sub(present, 1, 16), pack('<BBc1c8B', 1, 3, why, sub(present, 17, 24), #user.name)
      .. user.name)
  end

  local kept, at, list, taken = {}, 1, user.p, false
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
  user.p = table.concat(kept)
  user.written.p = true
end
if user.is_new or now - user.renewed > $RENEW then user.written.h = true end
save_users()
if returning ~= '' then return { now, 'registered' } end

local entries = false
if after ~= '' and (claimed_epoch == '' or claimed_epoch == user.epoch) then
  local missing = user.offset - tonumber(after)
  if user.is_new or missing == 0 then
    entries = {}
  elseif missing > 0 then
    entries = call('LRANGE', user.inbox, -math.min(missing, $ENTRIES), -1)
  elseif claimed_epoch == '' then
    entries = {}
  end
end
return { now, write_head(user), entries, user.a, user.s, user.m }
