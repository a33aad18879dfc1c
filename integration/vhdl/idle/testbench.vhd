-- The core for a number of clocks, for counts of an idle host's instructions: with a tick on every
-- clock, or without calls of the library after mb_init.
library ieee;
use ieee.std_logic_1164.all;
use work.vhost_pkg.all;

entity testbench is
    generic (
        CLOCKS : natural := 1000;
        TICKS  : boolean := true
    );
end entity;

architecture test of testbench is
    signal clk, resetn, trap : std_logic := '0';
begin
    clk <= not clk after 5 ns;
    resetn <= '1' after 80 ns;

    cpu : entity work.core
        port map (clk => clk, resetn => resetn, trap => trap);

    host : process
        variable served : integer;
    begin
        assert mb_init = 0 severity failure;
        for i in 1 to CLOCKS loop
            wait until rising_edge(clk);
            if TICKS then
                served := mb_tick;
            end if;
        end loop;
        mb_quit(0);
    end process;
end architecture;
