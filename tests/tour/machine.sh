# Makes the machine of docs/tour.md out of this shell, which has namespaces of its own: its name and addresses, /etc, /var and /run, a
# Debian Postfix with its chroot, and a BIND that plays Amazon Route53 and the resolver. Nothing of it is seen outside.
#
#   . machine.sh HOME SIGNET     HOME is an empty directory, SIGNET the program
set -e
home=$1
domain=example.com

echo mail.example.com >/proc/sys/kernel/hostname
ip link set lo up
ip addr add 192.0.2.25/32 dev lo # the machine
ip addr add 192.0.2.53/32 dev lo # the name servers of Route53

chmod 755 "$home"
cp -a /etc "$home/etc"
mkdir -p "$home/bin" "$home/zones" "$home"/var/{lib/postfix,spool/postfix/etc,log}
mkdir -m 1777 "$home/var/tmp"
ln -s /run "$home/var/run"
chown postfix "$home/var/lib/postfix"
install -m 755 "$2" "$home/bin/signet"
cd "$home/etc"
# As if signet had never been here.
rm -rf signet resolv.conf hosts
sed -i '/^signet:/d' passwd shadow group
echo 'nameserver 127.0.0.1' >resolv.conf
printf '127.0.0.1 localhost\n192.0.2.25 mail.example.com mail\n' >hosts
cp /usr/share/postfix/master.cf.dist postfix/master.cf
cat >postfix/main.cf <<'END'
compatibility_level = 3.6
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no
append_dot_mydomain = no
readme_directory = no
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
myhostname = mail.example.com
mydestination = $myhostname, example.com, localhost
mynetworks = 127.0.0.0/8
recipient_delimiter = +
inet_interfaces = all
inet_protocols = ipv4
alias_maps =
internal_mail_filter_classes = bounce
maillog_file = /var/log/mail.log
END
# What Debian puts into the chroot.
cp resolv.conf hosts services nsswitch.conf "$home/var/spool/postfix/etc/"
mount --bind "$home/etc" /etc
mount --bind "$home/var" /var
mount -t tmpfs none /run
[ ! -d /sys/fs/selinux ] || mount -t tmpfs none /sys/fs/selinux

cd "$home/zones"
head='$TTL 60
@ SOA ns-2048.awsdns-64.com. hostmaster 1 3600 600 86400 60
@ NS ns-2048.awsdns-64.com.'
cat >named.conf <<END
options {
  directory "$home/zones"; pid-file none; session-keyfile none; recursion no; allow-query { any; };
  listen-on { 127.0.0.1; 192.0.2.53; }; listen-on-v6 { none; };
};
controls { };
zone "$domain" { type primary; file "$domain"; };
zone "2.0.192.in-addr.arpa" { type primary; file "reverse"; };
zone "awsdns-64.com" { type primary; file "awsdns"; };
zone "awsdns-65.net" { type primary; file "awsdns"; };
END
printf '%s\n25 PTR mail.example.com.\n' "$head" >reverse
printf '%s\nns-2048 A 192.0.2.53\nns-2049 A 192.0.2.53\n' "$head" >awsdns
cat >zone <<END
$head
@ NS ns-2049.awsdns-65.net.
@ A 192.0.2.80
@ MX 10 mail
mail A 192.0.2.25
mail TXT "v=spf1 a -all"
_dmarc TXT "v=DMARC1; p=quarantine"
END

serial=1
# publish RECORD...: what stands in the zone beside the host, from now on
publish() {
  serial=$((serial + 1))
  { sed "s/hostmaster 1 /hostmaster $serial /" "$home/zones/zone" && printf '%s\n' "$@"; } >"$home/zones/$domain"
  if [ -n "${named:-}" ]; then
    kill -HUP "$named"
  else
    named -f -4 -n 1 -c "$home/zones/named.conf" 2>"$home/zones/log" </dev/null &
    named=$!
  fi
  until_true "the zone is served" served
}
served() { dig +short +time=1 +tries=1 @127.0.0.1 "$domain" SOA | grep -q "hostmaster.$domain. $serial "; }

# until_true WHAT COMMAND...: waits until the command succeeds
until_true() {
  local what=$1 deadline=$((SECONDS + 60))
  shift
  until "$@"; do
    [ $SECONDS -lt $deadline ] || { echo "waited in vain: $what" && return 1; }
    sleep 0.02
  done
}

reloads=0
# For use after `postfix reload`.
reloaded() {
  reloads=$((reloads + 1))
  until_true "Postfix has reloaded" eval '[ "$(grep -c "reload -- version" /var/log/mail.log)" = $reloads ]'
}

spf='@ TXT "v=spf1 a -all"'
publish "$spf"
PATH=$home/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset NO_COLOR SIGNET_WRITE
cd /root
postfix start 2>/dev/null
set +e
