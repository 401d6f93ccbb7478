/* What it links shows the linker all of a layer. */
int main(void)
{
    return 0;
}
