-- What the scripts beside this one share. A script runs in a copy of its directory,
-- with the globals `filter` (a program that takes -x CONF -p SOCKET, as OpenDKIM
-- does) and `socket`.

BODY_HASH = "bh=3VWGQGY+cSNYd1MGM+X6hRXU0stl8JCaQtl4mbX/j2I="

-- miltertest says that a script failed, not why.
local plain_error = error
function error(message)
	mt.echo(message)
	plain_error(message)
end

function start(conf)
	mt.startfilter(filter, "-x", conf or "opendkim.conf", "-p", socket)
end

-- A connection, after CONNECT unless there is no client to tell of.
function connect(name, address)
	local conn = mt.connect(socket, 40, 0.25)
	if conn == nil then
		error("the filter does not listen")
	end
	if name ~= nil and mt.conninfo(conn, name, address) ~= nil then
		error("CONNECT failed")
	end
	return conn
end

function reply(conn, wanted, where)
	local got = mt.getreply(conn)
	if got ~= wanted then
		error(string.format("%s: the reply is %s, not %s", where, letter(got), letter(wanted)))
	end
end

function letter(code)
	return string.format("'%c'", math.floor(code))
end

local function must(problem, where)
	if problem ~= nil then
		error(where .. ": " .. problem)
	end
end

-- Sends one message up to the end of its header section. `message` may have from,
-- recipient and macros (a list of names and values).
function header(conn, message)
	message = message or {}
	must(mt.macro(conn, SMFIC_MAIL, "i", "test-id", table.unpack(message.macros or {})), "macros")
	must(mt.mailfrom(conn, "<user@example.com>"), "MAIL")
	-- Without this miltertest sends one of its own, if the filter wants to see it.
	if message.recipient ~= nil then
		must(mt.rcptto(conn, message.recipient), "RCPT")
	end
	must(mt.header(conn, "From", message.from or "user@example.com"), "From")
	must(mt.header(conn, "Date", "Tue, 22 Dec 2009 13:04:12 -0800"), "Date")
	must(mt.header(conn, "Subject", "Signing test"), "Subject")
	must(mt.eoh(conn), "EOH")
end

-- The rest of the message; the answer has to be ACCEPT.
function body(conn)
	reply(conn, SMFIR_CONTINUE, "at the end of the header section")
	must(mt.bodystring(conn, "This is a test!\r\n"), "BODY")
	reply(conn, SMFIR_CONTINUE, "after the body")
	must(mt.eom(conn), "EOM")
	reply(conn, SMFIR_ACCEPT, "at the end of the message")
end

-- The nth signature from the last that was sent, on one line and in lower case but for
-- its hashes; nil when there is none.
function signature(conn, n)
	local value = mt.getheader(conn, "DKIM-Signature", n or 0)
	if value == nil then
		return nil
	end
	value = string.gsub(value, "[\r\n\t ]+", " ")
	return (string.gsub(value, " h=[^;]*", function(fields)
		return " " .. string.lower(string.gsub(fields, " ", ""))
	end))
end

function has(text, wanted)
	if text == nil then
		error("there is no signature with " .. wanted)
	end
	if not string.find(text, wanted, 1, true) then
		error("no " .. wanted .. " in" .. text)
	end
end

function has_not(text, unwanted)
	if text ~= nil and string.find(text, unwanted, 1, true) then
		error(unwanted .. " in" .. text)
	end
end

-- One whole message that is let pass as it is.
function unsigned(conn, message, why)
	header(conn, message)
	must(mt.bodystring(conn, "This is a test!\r\n"), "BODY")
	must(mt.eom(conn), "EOM")
	reply(conn, SMFIR_ACCEPT, why)
	if signature(conn) ~= nil then
		error(why .. ": signed")
	end
end

-- One whole message with the usual signature; returns it.
function signed(conn, message, canonicalization, domain, selector)
	header(conn, message)
	body(conn)
	local value = signature(conn)
	has(value, "v=1;")
	has(value, " c=" .. (canonicalization or "simple/simple") .. ";")
	has(value, " d=" .. (domain or "example.com") .. ";")
	has(value, " s=" .. (selector or "test") .. ";")
	has(value, "h=from:date:subject")
	has(value, BODY_HASH)
	return value
end
