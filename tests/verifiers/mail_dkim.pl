#!/usr/bin/perl
# Every DKIM signature of the given messages, judged by Mail::DKIM. See README.md for the form of input and output.

use strict;
use warnings;

use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;
use Net::DNS::Packet;
use Net::DNS::RR;

# Stands where Mail::DKIM expects a Net::DNS::Resolver, and answers from the records file.
package RecordsFile {

    sub new {
        my ( $class, $path ) = @_;
        my %records;
        open my $file, '<', $path or die "$path: $!\n";
        while ( my $line = <$file> ) {
            chomp $line;
            my ( $name, $text ) = split /\t/, $line, 2;
            $name =~ s/\.$//;
            $records{ lc $name } = $text;
        }
        return bless { records => \%records }, $class;
    }

    sub send {
        my ( $self, $name, $type ) = @_;
        my $packet = Net::DNS::Packet->new( $name, $type );
        my $text   = $self->{records}{ lc $name };
        if ( defined $text && uc $type eq 'TXT' ) {
            my @strings = unpack '(a255)*', $text;
            $packet->push( answer => Net::DNS::RR->new( owner => $name, type => 'TXT', ttl => 60, txtdata => \@strings ) );
        }
        else {
            $packet->header->rcode('NXDOMAIN');
        }
        return $packet;
    }

    sub bgsend      { my ( $self, @query ) = @_; return $self->send(@query) }
    sub bgbusy      { return 0 }
    sub bgread      { return $_[1] }
    sub errorstring { return 'NOERROR' }
}

# Releases before 1.20230630 (Debian 12 has 1.20230212) have no such module, whatever else is installed.
my $knows_ed25519 = eval { require Mail::DKIM::Algorithm::ed25519_sha256; 1 };

die "usage: mail_dkim.pl RECORDS MESSAGE...\n" unless @ARGV;
my $records = shift @ARGV;
Mail::DKIM::DNS::resolver( RecordsFile->new($records) );

for my $path (@ARGV) {
    open my $file, '<:raw', $path or die "$path: $!\n";
    my $verifier = Mail::DKIM::Verifier->new;
    while ( read $file, my $chunk, 65536 ) {
        $verifier->PRINT($chunk);
    }
    $verifier->CLOSE;
    for my $signature ( $verifier->signatures ) {
        my $algorithm = $signature->algorithm // '-';
        my $result    = $signature->result    // 'none';
        my $verdict =
            $result eq 'pass'                                     ? 'pass'
          : $algorithm eq 'ed25519-sha256' && !$knows_ed25519     ? 'unsupported'
          :                                                         'fail';
        my $why = $verdict eq 'pass' ? '' : $signature->result_detail // $result;
        my @columns = ( $path, $signature->domain // '-', $signature->selector // '-', $algorithm, $verdict, $why );
        s/\s+/ /g for @columns;
        print join( "\t", @columns ), "\n";
    }
}
