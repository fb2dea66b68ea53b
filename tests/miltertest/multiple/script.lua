dofile("../signing.lua")
start()
local conn = connect("localhost", "127.0.0.1")
header(conn)
body(conn)
has(signature(conn, 0), " d=example.net;")
has(signature(conn, 0), " s=test2;")
has(signature(conn, 1), " d=example.com;")
has(signature(conn, 1), " s=test;")
if signature(conn, 2) ~= nil then
	error("a third signature:" .. signature(conn, 2))
end
mt.disconnect(conn)
