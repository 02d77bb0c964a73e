-- Rings: one message for each node process concerned. Says which of them nobody hears.
local unheard = {}
for _, incarnation in ipairs(order) do
  local node = nodes[incarnation]
  local number = call('HINCRBY', KEYS[1], incarnation, '1')
  local message = pack('<BBI8I2', $VERSION, 1, number, node.users) .. node.names .. $ADDED
    .. origin .. node.places .. node.bodies
  if call('PUBLISH', '$CHANNEL' .. incarnation, message) == 0 then unheard[#unheard + 1] = incarnation end
end
return { now, 'committed', unheard, due_now }
