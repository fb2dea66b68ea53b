dofile("../signing.lua")
start()
local conn = connect("localhost", "127.0.0.1")
signed(conn, { macros = { "{testmacro}", "foobar" } })
mt.disconnect(conn)

conn = connect("localhost", "127.0.0.1")
unsigned(conn, nil, "without the macro")
mt.disconnect(conn)
