dofile("../signing.lua")
start()
for _, case in ipairs({
	-- By name, and by the parents of the name.
	{ "relay.example.org", "192.0.2.200", true },
	{ "RELAY.example.org", "192.0.2.200", true },
	{ "a.relay.example.org", "192.0.2.200", false },
	{ "host.example.net", "192.0.2.200", true },
	{ "a.b.example.net", "192.0.2.200", true },
	{ "example.net", "192.0.2.200", false },
	{ "not.example.net", "192.0.2.200", false },
	{ "in.not.example.net", "192.0.2.200", true },
	{ "x.apart.example.net", "192.0.2.200", false },
	-- A name that is taken out; the address still counts.
	{ "not.example.net", "192.0.2.1", true },
	-- By address and network; the narrower entry counts.
	{ "nobody.example", "192.0.2.1", true },
	{ "nobody.example", "192.0.2.2", false },
	{ "nobody.example", "198.51.100.7", true },
	{ "nobody.example", "198.51.100.130", false },
	{ "nobody.example", "198.51.100.131", true },
	{ "nobody.example", "198.51.101.1", false },
	{ "nobody.example", "203.0.113.9", true },
	-- IPv6.
	{ "nobody.example", "2001:db8::1", true },
	{ "nobody.example", "2001:db8:1::1", false },
	{ "nobody.example", "2001:db8:1::2", true },
	{ "nobody.example", "2001:db9::1", false },
	-- A client of which nothing is known.
	{ "nobody.example", "unspec", false },
}) do
	local conn = connect(case[1], case[2])
	local wanted = case[3] and SMFIR_ACCEPT or SMFIR_CONTINUE
	reply(conn, wanted, case[1] .. " [" .. case[2] .. "]")
	mt.disconnect(conn)
end
