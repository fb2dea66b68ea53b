dofile("../signing.lua")
start()
local conn = connect("localhost", "127.0.0.1")
local value = signed(conn)
local made = tonumber(string.match(value, " t=(%d+);"))
local ends = tonumber(string.match(value, " x=(%d+);"))
if made == nil or ends == nil or ends - made ~= 86400 then
	error("not a day from t= to x=:" .. value)
end
mt.disconnect(conn)
