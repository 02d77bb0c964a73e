-- The guards of a commit: conditions on the users' lists of active invitations, and on groups. An entry of a list: a
-- mark and the id, time of creation, end of retention, whether it has a timer, the inviter behind the name's length.

-- What each guard that fails says, with its number. A guard: its kind, the number of a user or of a key, which list,
-- and a limit or how many names follow for it among the arguments after `cursor`.
local function check_guards(guards, users, cursor)
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

  -- The user has fewer than so many active invitations. Without counting: they would be longer.
  function check.b(user, list, limit)
    local held, kept, oldest, candidates = user[list] or '', {}, nil, ''
    if #held < limit * 37 then return nil end
    for found, created, timer in active(held) do
      kept[#kept + 1] = found
      if not timer then
        if not oldest or created < oldest then
          oldest, candidates = created, sub(found, 2, 18)
        elseif created == oldest then
          candidates = candidates .. sub(found, 2, 18)
        end
      end
    end
    -- Whose retention has passed leaves the list when that has grown long.
    user[list] = table.concat(kept)
    return #kept >= limit and candidates or nil
  end

  -- None of the user's active invitations is by one of these.
  function check.i(user, list, count)
    local matches, held = '', user[list] or ''
    for number = 1, count do
      local inviter = ARGV[cursor + number]
      if find(held, inviter, 1, true) then
        for found in active(held) do
          if sub(found, 36) == inviter then matches = matches .. sub(found, 2, 18) end
        end
      end
    end
    cursor = cursor + count
    return matches ~= '' and matches or nil
  end

  -- None of the user's active invitations has a timer.
  function check.q(user, list)
    for _, _, timer in active(user[list] or '') do
      if timer then return '' end
    end
  end

  local failures = {}
  for at = 1, #guards, 6 do
    local kind, number, list, limit = unpack_bytes('<c1I2BI2', guards, at)
    local said
    if kind == 'm' then
      -- The set holds all of these, and the empty name, without which it does not exist.
      local names, strangers = { '' }, {}
      for index = 1, limit do names[index + 1] = ARGV[cursor + index] end
      cursor = cursor + limit
      local found = call('SMISMEMBER', KEYS[number], unpack(names))
      if found[1] == 0 then
        said = 'missing'
      else
        for index = 1, limit do
          if found[index + 1] == 0 then strangers[#strangers + 1] = index - 1 end
        end
        if #strangers > 0 then said = table.concat(strangers, ',') end
      end
    else
      said = check[kind](users[number], list, limit)
    end
    if said then failures[#failures + 1] = { (at - 1) / 6, said } end
  end
  return failures
end
