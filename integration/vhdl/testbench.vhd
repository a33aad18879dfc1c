-- Testbench for GHDL: the core, the host, and the methods of firmware.
library ieee;
use ieee.numeric_std.all;
use ieee.std_logic_1164.all;
use work.vhost_pkg.all;

entity testbench is
    generic (
        -- Timeout of the watchdog in clocks.
        MOST_CLOCKS : natural := 400000;
        -- True if the host writes to an array of signals; GHDL drops the write.
        ARRAYS      : boolean := false;
        -- True if the testbench has wrong calls.
        WRONG       : boolean := false;
        -- File of a checkpoint when firmware has suspended itself into RAM, which is then restored;
        -- empty for none.
        CHECKPOINT  : string  := "";
        -- Name of the testbench's own system, which leaves the end to the design around it:
        -- pair.vhd. Empty for the first system.
        SYSTEM      : string  := ""
    );
    port (
        over : out boolean := false
    );
end entity;

architecture test of testbench is
    signal clk, resetn, trap : std_logic := '0';
    signal restart           : boolean   := false;

    type words is array (0 to 3) of std_logic_vector(31 downto 0);
    signal registers : words := (others => x"5a5a5a5a");
begin
    clk <= not clk after 5 ns;
    resetn <= '0' when restart else '1' after 80 ns;

    cpu : entity work.core
        generic map (SYSTEM => SYSTEM)
        port map (clk => clk, resetn => resetn, trap => trap);

    host : process
        variable clocks, served, call : integer := 0;

        -- Number of the last call that was served.
        variable last : natural := 0;

        -- End clock of the pending call of `wait`, and its number, of which there is at most one.
        variable waiting, until_clock : integer := 0;

        -- Space in the mailbox file.
        function space_of (name : string) return string is
        begin
            if name = "" then
                return "cpu0";
            end if;
            return "cpu";
        end function;

        constant SPACE  : string  := space_of(SYSTEM);
        constant OWN    : integer := mb_system(SYSTEM);

        -- Address of the word with firmware's progress (firmware/suspend.c), and RAM at the
        -- checkpoint.
        variable state : word := (others => '0');
        type image is array (0 to 32767) of word;
        variable saved               : image;
        variable is_saved, is_passed : boolean := false;

        procedure suspended is
        begin
            if not is_saved and vhost_load(state) = 1 then
                if mb_save(CHECKPOINT) /= 0 then
                    mb_quit(255);
                end if;
                for i in image'range loop
                    saved(i) := vhost_load(to_unsigned(4 * i, 32));
                end loop;
                vhost_store(state, to_unsigned(0, 32));
                is_saved := true;
            elsif is_saved and not is_passed and vhost_load(state) = 2 then
                restart <= true;
                for i in 1 to 4 loop
                    wait until rising_edge(clk);
                end loop;
                for i in image'range loop
                    vhost_store(to_unsigned(4 * i, 32), saved(i));
                end loop;
                if mb_restore(CHECKPOINT) /= 0 then
                    mb_quit(255);
                end if;
                report "testbench: restored";
                is_passed := true;
                restart <= false;
            end if;
        end procedure;

        procedure greet (number : natural) is
            variable address, data : word;
            variable length        : natural := 0;
        begin
            address := mb_call_arg(number, 0);
            loop
                data := mb_backdoor_read(SPACE, address + length, 1);
                exit when data = 0;
                if data >= character'pos('a') and data <= character'pos('z') then
                    mb_backdoor_write(SPACE, address + length, data - 32, 1);
                end if;
                length := length + 1;
            end loop;
            mb_answer(number, to_unsigned(length, 32));
        end procedure;

        procedure wrong_calls is
            variable data   : word;
            variable system : integer;
        begin
            mb_answer(77);
            data := mb_backdoor_read(SPACE, x"00000000", 3);
            mb_backdoor_write(SPACE, x"00000000", x"00000000", 3);
            data := mb_backdoor_read("nowhere", x"00000000");
            system := mb_system("a name");
            data := vhost_load(x"00000000", 9);
        end procedure;

        procedure serve (number : natural) is
            variable sum : word := (others => '0');
        begin
            if WRONG and last /= 0 then
                -- Its answer has reached firmware.
                mb_fail(last);
            end if;
            last := number;
            if mb_call_is(number, "add") then
                for i in 1 to mb_call_args(number) loop
                    sum := sum + mb_call_arg(number, i - 1);
                end loop;
                mb_answer(number, sum);
                if WRONG then
                    mb_answer(number);
                end if;
            elsif mb_call_is(number, "greet") then
                greet(number);
            elsif mb_call_is(number, "wait") then
                waiting := number;
                until_clock := clocks + to_integer(mb_call_arg(number, 0));
            elsif mb_call_is(number, "watch") then
                state := mb_call_arg(number, 0);
                mb_answer(number);
            else
                mb_no_method(number);
            end if;
        end procedure;
    begin
        mb_system_select(OWN);
        if mb_init /= 0 then
            mb_quit(255);
        end if;
        if WRONG then
            wrong_calls;
        end if;
        if ARRAYS then
            mb_backdoor_write(SPACE, x"20000004", x"12345678");
        end if;
        loop
            wait until rising_edge(clk);
            mb_system_select(OWN);
            clocks := clocks + 1;
            served := mb_tick;
            if served < 0 then
                mb_quit(255);
            elsif served = 0 and SYSTEM /= "" and mb_exit_code = 0 then
                over <= true;
                wait;
            elsif served = 0 and WRONG then
                -- The run has failed all the same.
                std.env.finish;
            elsif served = 0 then
                mb_quit(mb_exit_code);
            elsif trap = '1' or clocks = MOST_CLOCKS then
                report "testbench: trap " & std_logic'image(trap) & " in clock " & integer'image(clocks);
                mb_status;
                mb_quit(255);
            end if;
            if ARRAYS and clocks = 20 then
                report "testbench: the array has "
                    & to_hstring(std_logic_vector(mb_backdoor_read(SPACE, x"20000004")));
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
            if CHECKPOINT /= "" and state /= 0 then
                suspended;
            end if;
        end loop;
    end process;
end architecture;
