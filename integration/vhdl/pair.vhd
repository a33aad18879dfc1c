-- Two chips in one simulation, each with its testbench and a system of its own.
use work.vhost_pkg.all;

entity pair is
end entity;

architecture test of pair is
    signal left_over, right_over : boolean;
begin
    left : entity work.testbench
        generic map (SYSTEM => "left")
        port map (over => left_over);

    right : entity work.testbench
        generic map (SYSTEM => "right")
        port map (over => right_over);

    process (left_over, right_over)
    begin
        if left_over and right_over then
            mb_quit(0);
        end if;
    end process;
end architecture;
