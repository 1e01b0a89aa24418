// What the scripts that run in Redis share. A script is the only thing there that reads and writes in
// one step; whatever it writes first must be a command that a server without memory refuses (HSET,
// SET), for once a script has written, nothing more is refused to it.

/**
 * Tells scripts the time, in whole milliseconds: the server's, so that clocks of processes need not
 * agree.
 */
export const SERVER_CLOCK = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`

/** Writes numbers out whole: Lua rounds them to 14 digits. */
export const NUMBERS = `
local function whole(number) return string.format('%.0f', number) end
local function exact(number) return string.format('%.17g', number) end
`

/** What a script returned, as a list. Anything else is a bug of ours. */
export const listOf = (reply: unknown): readonly unknown[] => {
  if (Array.isArray(reply)) return reply
  throw new TypeError('a script returned no list')
}
