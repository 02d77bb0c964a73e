-- Judges the guards of a commit: conditions on the users' lists of active invitations, on whom users block, on how
-- often they were rung of late, and on groups.
-- A guard: its kind, the number of a user or of a key, which list, and a limit, or how many names come with it.
-- An entry of a list: a mark and the id, time of creation, end of retention, whether it has a timer, the inviter
-- behind the name's length. No entry is shorter than 37 bytes.

-- Most hold, and that shows without a closer look: a list is too short to be full, or nowhere has the inviter's name.
local guard, next_name, doubtful, blocked = 1, 1 + before_plans + user_count + event_count, false, nil
while guard < #guards do
  local kind, number, list, limit = unpack_bytes('<c1I2BI2', guards, guard)
  if kind == 'b' then
    doubtful = doubtful or #(users[number][list] or '') >= limit * 37
  elseif kind == 'i' then
    local held = users[number][list] or ''
    for name = next_name, next_name + limit - 1 do doubtful = doubtful or find(held, ARGV[name], 1, true) end
    next_name = next_name + limit
  elseif kind == 's' then
    if call('SISMEMBER', KEYS[number], ARGV[next_name]) == 1 then
      blocked, doubtful = blocked or {}, true
      blocked[guard] = ''
    end
    next_name = next_name + 1
  elseif kind == 'r' then
    -- Times of rings, oldest first, and this one. One in the future was noted before the clock went back.
    local user, window, from = users[number], tonumber(ARGV[next_name]), 1
    local rung = user[5] or ''
    while from < #rung and math.abs(now - unpack_bytes('<I6', rung, from)) >= window do from = from + 6 end
    user[6] = sub(rung, from) .. pack('<I6', now)
    doubtful = doubtful or #user[6] > limit * 6
    next_name = next_name + 1
  elseif kind == 'm' then
    doubtful, next_name = true, next_name + limit
  else
    doubtful = true
  end
  guard = guard + 6
end

if doubtful then
  local function active(list)
    local at = 1
    return function()
      while at < #list do
        local start = at
        at = at + 36 + byte(list, at + 35)
        local created, retained, timer = unpack_bytes('<I8I8B', list, start + 18)
        if retained > now then return sub(list, start, at - 1), created, timer == 1 end
      end
    end
  end

  local check = {}

  -- The user has fewer than so many active invitations.
  function check.b(user, list, limit)
    local kept, oldest, candidates = {}, nil, ''
    for found, created, timer in active(user[list] or '') do
      kept[#kept + 1] = found
      if not timer then
        if not oldest or created < oldest then
          oldest, candidates = created, sub(found, 2, 18)
        elseif created == oldest then
          candidates = candidates .. sub(found, 2, 18)
        end
      end
    end
    -- What is retained no longer leaves a list that has grown long.
    user[list] = table.concat(kept)
    return #kept >= limit and candidates or nil
  end

  -- None of the user's active invitations is by one of these.
  function check.i(user, list, _, names)
    local by, matches = {}, ''
    for _, name in ipairs(names) do by[name] = true end
    for found in active(user[list] or '') do
      if by[sub(found, 36)] then matches = matches .. sub(found, 2, 18) end
    end
    return matches ~= '' and matches or nil
  end

  -- None of the user's active invitations has a timer.
  function check.q(user, list)
    for _, _, timer in active(user[list] or '') do
      if timer then return '' end
    end
  end

  -- The set holds all of these, and the empty name, without which it does not exist.
  local function members(key, names)
    local found, strangers = call('SMISMEMBER', key, '', unpack(names)), {}
    if found[1] == 0 then return 'missing' end
    for index = 1, #names do
      if found[index + 1] == 0 then strangers[#strangers + 1] = index - 1 end
    end
    return #strangers > 0 and table.concat(strangers, ',') or nil
  end

  local failures = {}
  next_name = 1 + before_plans + user_count + event_count
  for at = 1, #guards, 6 do
    local kind, number, list, limit = unpack_bytes('<c1I2BI2', guards, at)
    local names, said = {}, nil
    if kind == 'i' or kind == 'm' then
      names = { unpack(ARGV, next_name, next_name + limit - 1) }
      next_name = next_name + limit
    end
    if kind == 'm' then
      said = members(KEYS[number], names)
    elseif kind == 's' then
      said, next_name = blocked and blocked[at], next_name + 1
    elseif kind == 'r' then
      said, next_name = #users[number][6] > limit * 6 and '', next_name + 1
    else
      said = check[kind](users[number], list, limit, names)
    end
    if said then failures[#failures + 1] = { (at - 1) / 6, said } end
  end
  if #failures > 0 then return { now, 'guarded', failures } end
end
