#!/usr/bin/perl
# Stands in the place of a media tool on a whole installation. A file that holds `hostile NAME TASK;` makes the tool NAME do
# the task of hostile-tool.pl, whose text follows this one; every other call goes to the real tool. What came of it is one
# line on stderr. __TOOLS__, __DATA__, __PORT__ and __SOCKET__ are filled in by the test.

use strict;
use warnings;

our ($tool) = $0 =~ m{([^/]+)$};
our $report = '';
our $found;
{
    # The input is whichever argument names a file that may be read.
    my @files = grep { -f $_ && -r $_ } map { s/^file://r } @ARGV;
    for my $file (@files) {
        open(my $bytes, '<:raw', $file) or next;
        local $/;
        next unless <$bytes> =~ /hostile \Q$tool\E (\w+);/;
        $found = { task => $1, input => $file };
        last;
    }
    if (!defined $found) { exec { '__TOOLS__' . "/$tool" } $tool, @ARGV or exit 70 }
    my ($output) = map { s/^file://r } grep { m{^(?:file:)?__DATA__/scratch/} && !m{\Q$found->{input}\E$} } reverse @ARGV;
    my @attack = ('__DATA__', getppid(), '__PORT__', '__SOCKET__', $found->{input}, $output // '__DATA__/scratch/none');
    @ARGV = ('--hostile', $found->{task}, $found->{task} eq 'attack' ? @attack : ());
    close(STDOUT);
    open(STDOUT, '>', \$report);
}

END {
    if (defined $found) {
        my $tried = () = $report =~ /: (?:done|refused)$/mg;
        my $did = join ', ', $report =~ /^(.*): done$/mg;
        $did = $report if $tried == 0;
        chomp $did;
        print STDERR "\nhostile $tool $found->{task}: tried $tried; did $did.\n";
        # Taken for an error of the system, which the worker logs whichever tool it was.
        $? = 126 if $found->{task} ne 'memory';
    }
}

