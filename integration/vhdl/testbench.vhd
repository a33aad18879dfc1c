-- Testbench for GHDL: the core, the host, and the methods of firmware.
library ieee;
use ieee.numeric_std.all;
use ieee.std_logic_1164.all;
use work.vhost_pkg.all;

entity testbench is
    generic (
        -- Clocks that the watchdog waits.
        MOST_CLOCKS : natural := 400000;
        -- True to have the host write to an array of signals, which GHDL drops.
        ARRAYS      : boolean := false
    );
end entity;

architecture test of testbench is
    signal clk, resetn, trap : std_logic := '0';

    type words is array (0 to 3) of std_logic_vector(31 downto 0);
    signal registers : words := (others => x"5a5a5a5a");
begin
    clk <= not clk after 5 ns;
    resetn <= '1' after 80 ns;

    cpu : entity work.core
        port map (clk => clk, resetn => resetn, trap => trap);

    host : process
        variable clocks, served, call : integer := 0;

        -- Clock in which the call of `wait` ends, and its number; one channel has one.
        variable waiting, until_clock : integer := 0;

        procedure greet (number : natural) is
            variable address, data : word;
            variable length        : natural := 0;
        begin
            address := mb_call_arg(number, 0);
            loop
                data := mb_backdoor_read("cpu0", address + length, 1);
                exit when data = 0;
                if data >= character'pos('a') and data <= character'pos('z') then
                    mb_backdoor_write("cpu0", address + length, data - 32, 1);
                end if;
                length := length + 1;
            end loop;
            mb_answer(number, to_unsigned(length, 32));
        end procedure;

        procedure serve (number : natural) is
            variable sum : word := (others => '0');
        begin
            if mb_call_is(number, "add") then
                for i in 1 to mb_call_args(number) loop
                    sum := sum + mb_call_arg(number, i - 1);
                end loop;
                mb_answer(number, sum);
            elsif mb_call_is(number, "greet") then
                greet(number);
            elsif mb_call_is(number, "wait") then
                waiting := number;
                until_clock := clocks + to_integer(mb_call_arg(number, 0));
            else
                mb_no_method(number);
            end if;
        end procedure;
    begin
        if mb_init /= 0 then
            mb_quit(255);
        end if;
        if ARRAYS then
            mb_backdoor_write("cpu0", x"20000004", x"12345678");
        end if;
        loop
            wait until rising_edge(clk);
            clocks := clocks + 1;
            served := mb_tick;
            if served < 0 then
                mb_quit(255);
            elsif served = 0 then
                mb_quit(mb_exit_code);
            elsif trap = '1' or clocks = MOST_CLOCKS then
                report "testbench: trap " & std_logic'image(trap) & " in clock " & integer'image(clocks);
                mb_status;
                mb_quit(255);
            end if;
            if ARRAYS and clocks = 20 then
                report "testbench: the array has "
                    & to_hstring(std_logic_vector(mb_backdoor_read("cpu0", x"20000004")));
            end if;
            if waiting /= 0 and clocks >= until_clock then
                mb_answer(waiting, mb_call_arg(waiting, 0));
                waiting := 0;
            end if;
            call := mb_next_call;
            while call /= 0 loop
                serve(call);
                call := mb_next_call;
            end loop;
        end loop;
    end process;
end architecture;
