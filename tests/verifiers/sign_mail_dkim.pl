#!/usr/bin/perl
# Signs every NAME.eml of a directory with Mail::DKIM, under every canonicalization, into NAME.HEADER-BODY.signed.
# Usage: sign_mail_dkim.pl KEY SELECTOR DOMAIN DIRECTORY

use strict;
use warnings;

use Mail::DKIM::PrivateKey;
use Mail::DKIM::Signer;

my ( $key_file, $selector, $domain, $directory ) = @ARGV;
my $key = Mail::DKIM::PrivateKey->load( File => $key_file ) or die "$key_file: no key\n";
for my $path ( sort glob "$directory/*.eml" ) {
    open my $file, '<:raw', $path or die "$path: $!\n";
    my $message = do { local $/; <$file> };
    for my $method (qw(simple/simple simple/relaxed relaxed/simple relaxed/relaxed)) {
        my $signer = Mail::DKIM::Signer->new(
            Algorithm => 'rsa-sha256',
            Method    => $method,
            Domain    => $domain,
            Selector  => $selector,
            Key       => $key,
        );
        # It signs few fields by itself; "*" is every one that the message has, "+" one more.
        my ($header) = $message =~ /\A(.*?\r\n)\r\n/s;
        my %fields = map { lc $_ => '*' } $header =~ /^([^\s:]+):/mg;
        $signer->extended_headers( { %fields, from => '+' } );
        $signer->PRINT($message);
        $signer->CLOSE;
        my $field = $signer->signature->as_string;
        $field =~ s/\r?\n/\r\n/g;
        ( my $name = $path ) =~ s/\.eml$/".$method.signed"/e;
        $name =~ s{(simple|relaxed)/(simple|relaxed)\.signed$}{$1-$2.signed};
        open my $out, '>:raw', $name or die "$name: $!\n";
        print $out $field, "\r\n", $message;
        close $out or die "$name: $!\n";
    }
}
