# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_signet_global_optspecs
    string join \n h/help V/version
end

function __fish_signet_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_signet_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_signet_using_subcommand
    set -l cmd (__fish_signet_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c signet -n "__fish_signet_needs_command" -s h -l help -d 'Print help'
complete -c signet -n "__fish_signet_needs_command" -s V -l version -d 'Print version'
complete -c signet -n "__fish_signet_needs_command" -f -a "setup" -d 'Print the commands that set up signing on this machine'
complete -c signet -n "__fish_signet_needs_command" -f -a "keygen" -d 'Make a key and print the DNS record to publish'
complete -c signet -n "__fish_signet_needs_command" -f -a "dns" -d 'Print the DNS record of a key again'
complete -c signet -n "__fish_signet_needs_command" -f -a "doctor" -d 'Find what keeps mail from being signed and verified'
complete -c signet -n "__fish_signet_needs_command" -f -a "serve" -d 'Run the milter'
complete -c signet -n "__fish_signet_needs_command" -f -a "check" -d 'Print the effective configuration and say whether it is usable'
complete -c signet -n "__fish_signet_needs_command" -f -a "status" -d 'Print what the running daemon signs for, has done, and is in trouble with'
complete -c signet -n "__fish_signet_needs_command" -f -a "sign" -d 'Sign a message from a file or standard input, as the milter would'
complete -c signet -n "__fish_signet_needs_command" -f -a "explain" -d 'Say whether a message would be signed, and why'
complete -c signet -n "__fish_signet_needs_command" -f -a "verify" -d 'Check every DKIM signature of a message'
complete -c signet -n "__fish_signet_needs_command" -f -a "selftest" -d 'Prove in one command that signing works'
complete -c signet -n "__fish_signet_needs_command" -f -a "test" -d 'Send a real mail through the local Postfix and verify what comes out'
complete -c signet -n "__fish_signet_needs_command" -f -a "bench" -d 'Put load on a milter, as Postfix would, and measure it'
complete -c signet -n "__fish_signet_needs_command" -f -a "import" -d 'Move in from another signer: its files as a config, with a report and a proof'
complete -c signet -n "__fish_signet_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c signet -n "__fish_signet_using_subcommand setup" -l config -d 'The config file [default: /etc/signet/signet.toml if it is there]' -r -F
complete -c signet -n "__fish_signet_using_subcommand setup" -l keys -d 'The key directory, DIR/DOMAIN/SELECTOR.pem [default: that of the config file, or /var/lib/signet/keys]' -r -F
complete -c signet -n "__fish_signet_using_subcommand setup" -l listen -d 'Where the daemon listens: inet:HOST:PORT or unix:PATH; may be given several times [default: what the config file says, or inet:127.0.0.1:8891]' -r
complete -c signet -n "__fish_signet_using_subcommand setup" -l selector -d 'The name of the key to make [default: "s" and the date, s20261122]' -r
complete -c signet -n "__fish_signet_using_subcommand setup" -l user -d 'The user that signet runs as' -r
complete -c signet -n "__fish_signet_using_subcommand setup" -l postfix-config -d 'Postfix\'s configuration directory, when it is not the usual one' -r -F
complete -c signet -n "__fish_signet_using_subcommand setup" -l resolver -d 'Ask this name server' -r
complete -c signet -n "__fish_signet_using_subcommand setup" -s h -l help -d 'Print help'
complete -c signet -n "__fish_signet_using_subcommand keygen" -l selector -d 'The name of the key within the domain [default: "s" and the date, s20261122]' -r
complete -c signet -n "__fish_signet_using_subcommand keygen" -l algorithm -d 'The kind of key' -r -f -a "rsa\t''
ed25519\t''"
complete -c signet -n "__fish_signet_using_subcommand keygen" -l bits -d 'The size of an RSA key [default: 2048]' -r -f -a "2048\t''
3072\t''
4096\t''"
complete -c signet -n "__fish_signet_using_subcommand keygen" -l keys -d 'The key directory; the key is written to DIR/DOMAIN/SELECTOR.pem [default: that of the config file, or /var/lib/signet/keys]' -r -F
complete -c signet -n "__fish_signet_using_subcommand keygen" -l format -d 'Print the record in this form and nothing else (may be repeated); "list" names the forms' -r -f -a "quoted\t'quoted strings on one line, for Amazon Route53\'s console'
plain\t'the bare value, for consoles that split it themselves (Cloudflare, Azure)'
bind\t'a record for a zone file (BIND, NSD, Knot, PowerDNS)'
route53-json\t'a change batch for "aws route53 change-resource-record-sets"'
cloudflare-json\t'a curl command for Cloudflare\'s API (for its console: plain)'
gcloud\t'a gcloud command, for Google Cloud DNS'
azure\t'an az command, for Azure DNS (for its portal: plain)'
digitalocean\t'a doctl command, for DigitalOcean'
nsupdate\t'commands for "nsupdate", for name servers that take dynamic updates'
pdnsutil\t'a pdnsutil command, for PowerDNS with a database'
tinydns\t'a line for the data file of tinydns (djbdns)'
unbound\t'a local-data line for unbound.conf (split horizon, or a test)'
terraform-aws\t'a Terraform resource for Amazon Route53'
terraform-google\t'a Terraform resource for Google Cloud DNS'
terraform-cloudflare\t'a Terraform resource for Cloudflare (provider version 5)'
terraform-azurerm\t'a Terraform resource for Azure DNS'
octodns\t'an entry for a YAML zone file of octoDNS'
dnscontrol\t'an entry for dnsconfig.js of DNSControl'
cname\t'an alias in the domain\'s zone, and the key in a zone of yours'
json\t'a JSON object a line, for scripts'
list\t'print this list'"
complete -c signet -n "__fish_signet_using_subcommand keygen" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c signet -n "__fish_signet_using_subcommand dns" -l selector -d 'The key [default: every key of the domain]' -r
complete -c signet -n "__fish_signet_using_subcommand dns" -l keys -d 'The key directory [default: that of the config file, or /var/lib/signet/keys]' -r -F
complete -c signet -n "__fish_signet_using_subcommand dns" -l format -d 'Print the record in this form and nothing else (may be repeated); "list" names the forms' -r -f -a "quoted\t'quoted strings on one line, for Amazon Route53\'s console'
plain\t'the bare value, for consoles that split it themselves (Cloudflare, Azure)'
bind\t'a record for a zone file (BIND, NSD, Knot, PowerDNS)'
route53-json\t'a change batch for "aws route53 change-resource-record-sets"'
cloudflare-json\t'a curl command for Cloudflare\'s API (for its console: plain)'
gcloud\t'a gcloud command, for Google Cloud DNS'
azure\t'an az command, for Azure DNS (for its portal: plain)'
digitalocean\t'a doctl command, for DigitalOcean'
nsupdate\t'commands for "nsupdate", for name servers that take dynamic updates'
pdnsutil\t'a pdnsutil command, for PowerDNS with a database'
tinydns\t'a line for the data file of tinydns (djbdns)'
unbound\t'a local-data line for unbound.conf (split horizon, or a test)'
terraform-aws\t'a Terraform resource for Amazon Route53'
terraform-google\t'a Terraform resource for Google Cloud DNS'
terraform-cloudflare\t'a Terraform resource for Cloudflare (provider version 5)'
terraform-azurerm\t'a Terraform resource for Azure DNS'
octodns\t'an entry for a YAML zone file of octoDNS'
dnscontrol\t'an entry for dnsconfig.js of DNSControl'
cname\t'an alias in the domain\'s zone, and the key in a zone of yours'
json\t'a JSON object a line, for scripts'
list\t'print this list'"
complete -c signet -n "__fish_signet_using_subcommand dns" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c signet -n "__fish_signet_using_subcommand doctor" -l config -d 'The config file [default: /etc/signet/signet.toml if it is there]' -r -F
complete -c signet -n "__fish_signet_using_subcommand doctor" -l keys -d 'The key directory, DIR/DOMAIN/SELECTOR.pem [default: that of the config file, or /var/lib/signet/keys]' -r -F
complete -c signet -n "__fish_signet_using_subcommand doctor" -l listen -d 'Where the daemon listens: inet:HOST:PORT or unix:PATH; may be given several times [default: what the config file says, or inet:127.0.0.1:8891]' -r
complete -c signet -n "__fish_signet_using_subcommand doctor" -l resolver -d 'Ask this resolver instead of the system\'s' -r
complete -c signet -n "__fish_signet_using_subcommand doctor" -l name-server -d 'Ask these name servers instead of those that the zone names (may be repeated)' -r
complete -c signet -n "__fish_signet_using_subcommand doctor" -l postfix-config -d 'Postfix\'s configuration directory, when it is not the usual one' -r -F
complete -c signet -n "__fish_signet_using_subcommand doctor" -l mail-log -d 'Postfix\'s log [default: what maillog_file says, /var/log/mail.log, or the journal]' -r -F
complete -c signet -n "__fish_signet_using_subcommand doctor" -l address -d 'An address that mail leaves from [default: those of Postfix\'s myhostname] (may be repeated)' -r
complete -c signet -n "__fish_signet_using_subcommand doctor" -l textfile -d 'Write the result as metrics into this file as well, for node_exporter\'s textfile collector' -r -F
complete -c signet -n "__fish_signet_using_subcommand doctor" -l explain -d 'Print what there is to know about a finding, and check nothing' -r
complete -c signet -n "__fish_signet_using_subcommand doctor" -l no-postfix -d 'Leave Postfix and its log alone: it runs on another machine'
complete -c signet -n "__fish_signet_using_subcommand doctor" -l json -d 'Print one line of JSON'
complete -c signet -n "__fish_signet_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c signet -n "__fish_signet_using_subcommand serve" -l config -d 'The config file [default: /etc/signet/signet.toml if it is there]' -r -F
complete -c signet -n "__fish_signet_using_subcommand serve" -l keys -d 'The key directory, DIR/DOMAIN/SELECTOR.pem [default: that of the config file, or /var/lib/signet/keys]' -r -F
complete -c signet -n "__fish_signet_using_subcommand serve" -l listen -d 'Where the daemon listens: inet:HOST:PORT or unix:PATH; may be given several times [default: what the config file says, or inet:127.0.0.1:8891]' -r
complete -c signet -n "__fish_signet_using_subcommand serve" -s h -l help -d 'Print help'
complete -c signet -n "__fish_signet_using_subcommand check" -l config -d 'The config file [default: /etc/signet/signet.toml if it is there]' -r -F
complete -c signet -n "__fish_signet_using_subcommand check" -l keys -d 'The key directory, DIR/DOMAIN/SELECTOR.pem [default: that of the config file, or /var/lib/signet/keys]' -r -F
complete -c signet -n "__fish_signet_using_subcommand check" -l listen -d 'Where the daemon listens: inet:HOST:PORT or unix:PATH; may be given several times [default: what the config file says, or inet:127.0.0.1:8891]' -r
complete -c signet -n "__fish_signet_using_subcommand check" -s h -l help -d 'Print help'
complete -c signet -n "__fish_signet_using_subcommand status" -l at -d 'Where the daemon shows its status [default: metrics.listen of the config file]' -r
complete -c signet -n "__fish_signet_using_subcommand status" -l config -d 'The config file [default: /etc/signet/signet.toml if it is there]' -r -F
complete -c signet -n "__fish_signet_using_subcommand status" -l json -d 'Print it as JSON'
complete -c signet -n "__fish_signet_using_subcommand status" -s h -l help -d 'Print help'
complete -c signet -n "__fish_signet_using_subcommand sign" -l config -d 'The config file [default: /etc/signet/signet.toml if it is there]' -r -F
complete -c signet -n "__fish_signet_using_subcommand sign" -l keys -d 'The key directory, DIR/DOMAIN/SELECTOR.pem [default: that of the config file, or /var/lib/signet/keys]' -r -F
complete -c signet -n "__fish_signet_using_subcommand sign" -l listen -d 'Where the daemon listens: inet:HOST:PORT or unix:PATH; may be given several times [default: what the config file says, or inet:127.0.0.1:8891]' -r
complete -c signet -n "__fish_signet_using_subcommand sign" -s h -l help -d 'Print help'
complete -c signet -n "__fish_signet_using_subcommand explain" -l config -d 'The config file [default: /etc/signet/signet.toml if it is there]' -r -F
complete -c signet -n "__fish_signet_using_subcommand explain" -l keys -d 'The key directory, DIR/DOMAIN/SELECTOR.pem [default: that of the config file, or /var/lib/signet/keys]' -r -F
complete -c signet -n "__fish_signet_using_subcommand explain" -l from -d 'The author, as in the From field; not needed with MESSAGE' -r
complete -c signet -n "__fish_signet_using_subcommand explain" -l client -d 'The client\'s address' -r
complete -c signet -n "__fish_signet_using_subcommand explain" -l client-name -d 'The client\'s name, for lists of clients that hold names' -r
complete -c signet -n "__fish_signet_using_subcommand explain" -l login -d 'The name the client logged in with' -r
complete -c signet -n "__fish_signet_using_subcommand explain" -l daemon -d 'The name of the Postfix service (milter_macro_daemon_name)' -r
complete -c signet -n "__fish_signet_using_subcommand explain" -l rcpt -d 'A recipient (repeatable)' -r
complete -c signet -n "__fish_signet_using_subcommand explain" -l listen -d 'Where the daemon listens: inet:HOST:PORT or unix:PATH; may be given several times [default: what the config file says, or inet:127.0.0.1:8891]' -r
complete -c signet -n "__fish_signet_using_subcommand explain" -s h -l help -d 'Print help'
complete -c signet -n "__fish_signet_using_subcommand verify" -l dns-file -d 'Take key records from a file instead of DNS: a zone file, or what keygen prints (may be repeated)' -r -F
complete -c signet -n "__fish_signet_using_subcommand verify" -l resolver -d 'Ask this name server; with --dns-file, only for names that are not in the file' -r
complete -c signet -n "__fish_signet_using_subcommand verify" -l json -d 'Print one line of JSON'
complete -c signet -n "__fish_signet_using_subcommand verify" -s h -l help -d 'Print help'
complete -c signet -n "__fish_signet_using_subcommand selftest" -l config -d 'The config file [default: /etc/signet/signet.toml if it is there]' -r -F
complete -c signet -n "__fish_signet_using_subcommand selftest" -l keys -d 'The key directory, DIR/DOMAIN/SELECTOR.pem [default: that of the config file, or /var/lib/signet/keys]' -r -F
complete -c signet -n "__fish_signet_using_subcommand selftest" -l socket -d 'Test the milter that listens here, inet:HOST:PORT or unix:PATH, instead of one of our own' -r
complete -c signet -n "__fish_signet_using_subcommand selftest" -l from -d 'The author of the test message [default: postmaster@ the first domain that has a key]' -r
complete -c signet -n "__fish_signet_using_subcommand selftest" -l listen -d 'Where the daemon listens: inet:HOST:PORT or unix:PATH; may be given several times [default: what the config file says, or inet:127.0.0.1:8891]' -r
complete -c signet -n "__fish_signet_using_subcommand selftest" -s h -l help -d 'Print help'
complete -c signet -n "__fish_signet_using_subcommand test" -l config -d 'The config file [default: /etc/signet/signet.toml if it is there]' -r -F
complete -c signet -n "__fish_signet_using_subcommand test" -l keys -d 'The key directory, DIR/DOMAIN/SELECTOR.pem [default: that of the config file, or /var/lib/signet/keys]' -r -F
complete -c signet -n "__fish_signet_using_subcommand test" -l from -d 'The author [default: postmaster at the first domain that has a key]' -r
complete -c signet -n "__fish_signet_using_subcommand test" -l smtp -d 'Hand it in by SMTP here instead of by the sendmail command' -r
complete -c signet -n "__fish_signet_using_subcommand test" -l sink -d 'Where our own listener waits for it [default: where transport_maps routes signet-test.invalid, or 127.83.73.71:25]' -r
complete -c signet -n "__fish_signet_using_subcommand test" -l to -d 'A recipient that Postfix routes to the listener [default: test@signet-test.invalid if there is such a route, or test@[ADDRESS]]' -r
complete -c signet -n "__fish_signet_using_subcommand test" -l body -d 'The text to send, instead of one of our own' -r -F
complete -c signet -n "__fish_signet_using_subcommand test" -l postfix-config -d 'Postfix\'s configuration directory, when it is not the usual one' -r -F
complete -c signet -n "__fish_signet_using_subcommand test" -l resolver -d 'Look the key up here' -r
complete -c signet -n "__fish_signet_using_subcommand test" -l wait -d 'How long to wait for the mail' -r
complete -c signet -n "__fish_signet_using_subcommand test" -l listen -d 'Where the daemon listens: inet:HOST:PORT or unix:PATH; may be given several times [default: what the config file says, or inet:127.0.0.1:8891]' -r
complete -c signet -n "__fish_signet_using_subcommand test" -l seven-bit -d 'Be a server that takes no 8-bit text'
complete -c signet -n "__fish_signet_using_subcommand test" -s h -l help -d 'Print help'
complete -c signet -n "__fish_signet_using_subcommand bench" -l socket -d 'The milter: inet:HOST:PORT or unix:PATH' -r
complete -c signet -n "__fish_signet_using_subcommand bench" -l connections -d 'Connections at once' -r
complete -c signet -n "__fish_signet_using_subcommand bench" -l size -d 'Bytes of each message, header section and body (suffixes KiB and MiB)' -r
complete -c signet -n "__fish_signet_using_subcommand bench" -l seconds -d 'How long to measure' -r
complete -c signet -n "__fish_signet_using_subcommand bench" -l warm-up -d 'How long to send before measuring' -r
complete -c signet -n "__fish_signet_using_subcommand bench" -l messages -d 'Send this many messages in all instead of sending for a time' -r
complete -c signet -n "__fish_signet_using_subcommand bench" -l rate -d 'Let messages fall due at random, so many a second on average, instead of sending as fast as the milter answers' -r
complete -c signet -n "__fish_signet_using_subcommand bench" -l idle -d 'Open this many connections, measure what they cost idle, and send one message over each; needs --pid' -r
complete -c signet -n "__fish_signet_using_subcommand bench" -l pid -d 'The milter\'s process, to measure its processor time and memory (repeatable)' -r
complete -c signet -n "__fish_signet_using_subcommand bench" -l from -d 'Author and envelope sender (repeatable: each message is by the next one)' -r
complete -c signet -n "__fish_signet_using_subcommand bench" -l primitive -d 'Instead of loading a milter, measure one bare operation in this process' -r -f -a "rsa2048\t''
rsa3072\t''
rsa4096\t''
ed25519\t''
sha256\t'SHA-256 of 1 MiB'
socket\t'Reading 1 MiB from a TCP connection of this machine'"
complete -c signet -n "__fish_signet_using_subcommand bench" -l evenly -d 'With --rate: at even intervals instead, so that no message has to wait for another where the milter keeps up'
complete -c signet -n "__fish_signet_using_subcommand bench" -l json -d 'Print one JSON object'
complete -c signet -n "__fish_signet_using_subcommand bench" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c signet -n "__fish_signet_using_subcommand import; and not __fish_seen_subcommand_from opendkim rspamd help" -s h -l help -d 'Print help'
complete -c signet -n "__fish_signet_using_subcommand import; and not __fish_seen_subcommand_from opendkim rspamd help" -f -a "opendkim" -d 'Read opendkim.conf and its tables; write a config, a report, and sign a sample for each rule with both programs'
complete -c signet -n "__fish_signet_using_subcommand import; and not __fish_seen_subcommand_from opendkim rspamd help" -f -a "rspamd" -d 'Read rspamd\'s dkim_signing.conf and its maps; write a config and a report'
complete -c signet -n "__fish_signet_using_subcommand import; and not __fish_seen_subcommand_from opendkim rspamd help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c signet -n "__fish_signet_using_subcommand import; and __fish_seen_subcommand_from opendkim" -l out -d 'Where signet.toml and report.txt are written' -r -F
complete -c signet -n "__fish_signet_using_subcommand import; and __fish_seen_subcommand_from opendkim" -s h -l help -d 'Print help'
complete -c signet -n "__fish_signet_using_subcommand import; and __fish_seen_subcommand_from rspamd" -l out -d 'Where signet.toml and report.txt are written' -r -F
complete -c signet -n "__fish_signet_using_subcommand import; and __fish_seen_subcommand_from rspamd" -s h -l help -d 'Print help'
complete -c signet -n "__fish_signet_using_subcommand import; and __fish_seen_subcommand_from help" -f -a "opendkim" -d 'Read opendkim.conf and its tables; write a config, a report, and sign a sample for each rule with both programs'
complete -c signet -n "__fish_signet_using_subcommand import; and __fish_seen_subcommand_from help" -f -a "rspamd" -d 'Read rspamd\'s dkim_signing.conf and its maps; write a config and a report'
complete -c signet -n "__fish_signet_using_subcommand import; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c signet -n "__fish_signet_using_subcommand help; and not __fish_seen_subcommand_from setup keygen dns doctor serve check status sign explain verify selftest test bench import help" -f -a "setup" -d 'Print the commands that set up signing on this machine'
complete -c signet -n "__fish_signet_using_subcommand help; and not __fish_seen_subcommand_from setup keygen dns doctor serve check status sign explain verify selftest test bench import help" -f -a "keygen" -d 'Make a key and print the DNS record to publish'
complete -c signet -n "__fish_signet_using_subcommand help; and not __fish_seen_subcommand_from setup keygen dns doctor serve check status sign explain verify selftest test bench import help" -f -a "dns" -d 'Print the DNS record of a key again'
complete -c signet -n "__fish_signet_using_subcommand help; and not __fish_seen_subcommand_from setup keygen dns doctor serve check status sign explain verify selftest test bench import help" -f -a "doctor" -d 'Find what keeps mail from being signed and verified'
complete -c signet -n "__fish_signet_using_subcommand help; and not __fish_seen_subcommand_from setup keygen dns doctor serve check status sign explain verify selftest test bench import help" -f -a "serve" -d 'Run the milter'
complete -c signet -n "__fish_signet_using_subcommand help; and not __fish_seen_subcommand_from setup keygen dns doctor serve check status sign explain verify selftest test bench import help" -f -a "check" -d 'Print the effective configuration and say whether it is usable'
complete -c signet -n "__fish_signet_using_subcommand help; and not __fish_seen_subcommand_from setup keygen dns doctor serve check status sign explain verify selftest test bench import help" -f -a "status" -d 'Print what the running daemon signs for, has done, and is in trouble with'
complete -c signet -n "__fish_signet_using_subcommand help; and not __fish_seen_subcommand_from setup keygen dns doctor serve check status sign explain verify selftest test bench import help" -f -a "sign" -d 'Sign a message from a file or standard input, as the milter would'
complete -c signet -n "__fish_signet_using_subcommand help; and not __fish_seen_subcommand_from setup keygen dns doctor serve check status sign explain verify selftest test bench import help" -f -a "explain" -d 'Say whether a message would be signed, and why'
complete -c signet -n "__fish_signet_using_subcommand help; and not __fish_seen_subcommand_from setup keygen dns doctor serve check status sign explain verify selftest test bench import help" -f -a "verify" -d 'Check every DKIM signature of a message'
complete -c signet -n "__fish_signet_using_subcommand help; and not __fish_seen_subcommand_from setup keygen dns doctor serve check status sign explain verify selftest test bench import help" -f -a "selftest" -d 'Prove in one command that signing works'
complete -c signet -n "__fish_signet_using_subcommand help; and not __fish_seen_subcommand_from setup keygen dns doctor serve check status sign explain verify selftest test bench import help" -f -a "test" -d 'Send a real mail through the local Postfix and verify what comes out'
complete -c signet -n "__fish_signet_using_subcommand help; and not __fish_seen_subcommand_from setup keygen dns doctor serve check status sign explain verify selftest test bench import help" -f -a "bench" -d 'Put load on a milter, as Postfix would, and measure it'
complete -c signet -n "__fish_signet_using_subcommand help; and not __fish_seen_subcommand_from setup keygen dns doctor serve check status sign explain verify selftest test bench import help" -f -a "import" -d 'Move in from another signer: its files as a config, with a report and a proof'
complete -c signet -n "__fish_signet_using_subcommand help; and not __fish_seen_subcommand_from setup keygen dns doctor serve check status sign explain verify selftest test bench import help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c signet -n "__fish_signet_using_subcommand help; and __fish_seen_subcommand_from import" -f -a "opendkim" -d 'Read opendkim.conf and its tables; write a config, a report, and sign a sample for each rule with both programs'
complete -c signet -n "__fish_signet_using_subcommand help; and __fish_seen_subcommand_from import" -f -a "rspamd" -d 'Read rspamd\'s dkim_signing.conf and its maps; write a config and a report'
